<?php
// A partner's site in PHP: the logo by oEmbed, and a download that is licensed at the press of a button.
//   EMBLEM_URL=https://logo.example.org EMBLEM_KEY=emb_… EMBLEM_PARTICIPANT=par_… EMBED=https://…/en/embeds/ebd_… \
//     php -S 127.0.0.1:8080 partner.php

function ask(string $path, ?array $body = null): array
{
    $http = ['timeout' => 30];
    if ($body !== null) {
        $http += [
            'method' => 'POST',
            'header' => "Content-Type: application/json\r\nAuthorization: Bearer " . getenv('EMBLEM_KEY'),
            'content' => json_encode($body),
        ];
    }
    $answer = file_get_contents(getenv('EMBLEM_URL') . $path, false, stream_context_create(['http' => $http]));
    return json_decode($answer, true, 16, JSON_THROW_ON_ERROR);
}

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $link = ask('/api/v1/links', [
        'participant' => getenv('EMBLEM_PARTICIPANT'), 'package' => 'logo', 'expires_in' => 3600,
    ]);
    header('Location: ' . $link['url'], true, 303);
    exit;
}
$logo = ask('/oembed?' . http_build_query(['url' => getenv('EMBED'), 'maxwidth' => 400]));
?>
<!doctype html><title>Our partner page</title>
<img src="<?= htmlspecialchars($logo['url']) ?>" width="<?= (int) $logo['width'] ?>"
     height="<?= (int) $logo['height'] ?>" alt="<?= htmlspecialchars($logo['title']) ?>">
<form method="post"><button>Download the logo</button></form>
