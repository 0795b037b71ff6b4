"""What kind of client a user agent belongs to."""

from __future__ import annotations

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.campaign import Campaign

BROWSERS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Edg/142.0",
    "Opera/9.80 (Windows NT 6.1) Presto/2.12.388 Version/12.18",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 [FBAN/EMA;]",
]
PROGRAMS = [
    None,
    "",
    "  ",
    "curl/8.5.0",
    "Wget/1.21.4",
    "Wget/1.21.4 (linux-gnu)",
    "Wget2/2.1.0",
    "aria2/1.36.0",
    "Axel/2.17.11 (Linux)",
    "python-requests/2.32.3",
    "Python-urllib/3.11",
    "python-urllib3/2.5.0",
    "python-httpx/0.28.1",
    "Python/3.12 aiohttp/3.9.5",
    "HTTPie/3.2.4",
    "Go-http-client/2.0",
    "Java/17.0.9",
    "Java-http-client/21.0.1",
    "Apache-HttpClient/4.5.14 (Java/17.0.9)",
    "Jakarta Commons-HttpClient/3.1",
    "okhttp/4.12.0",
    "axios/1.7.2",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "undici",
    "node",
    "libwww-perl/6.72",
    "LWP::Simple/6.72 libwww-perl/6.72",
    "PycURL/7.45.3 libcurl/8.5.0 OpenSSL/3.0.13 zlib/1.3",
    "GuzzleHttp/7",
    "PHP/8.3.6",
    "Ruby",
    "rest-client/2.1.0 (linux x86_64) ruby/3.2.3p157",
    "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.2506",
    "PostmanRuntime/7.39.0",
    "insomnia/9.3.2",
    "RestSharp/106.15.0.0",
    "Dart/3.4 (dart:io)",
    "reqwest/0.12.4",
    "FDM/6.20",
    "GetRight/6.5",
    "gvfs/1.54.0",
    "Lynx/2.9.0dev.12 libwww-FM/2.14 SSL-MM/1.4.1",
    "our-own-script 1.0",
]
ROBOTS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "facebookexternalhit/1.1;line-poker/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Twitterbot/1.0",
    "WhatsApp/2.23.20.0",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "Mastodon/4.3.0 (http.rb/5.2.0; +https://social.example.org/)",
    "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
    "Iframely/1.3.1 (+https://iframely.com/docs/about)",
    "Scrapy/2.11.2 (+https://scrapy.org)",
    "python-requests/2.32.3 (compatible; LinkSpider)",
    "OurCrawler/1.0 curl/8.5.0",
    "heritrix/3.4.0 Java/17",
    "DuckDuckGo-Favicons crawl",
]


@pytest.mark.parametrize("agent", BROWSERS)
def test_browsers(campaign: Campaign, agent: str) -> None:
    assert campaign.clients.kind(agent) == "browser"


@pytest.mark.parametrize("agent", PROGRAMS)
def test_programs_that_people_run_are_no_robots(campaign: Campaign, agent: str | None) -> None:
    assert campaign.clients.kind(agent) == "program"


@pytest.mark.parametrize("agent", ROBOTS)
def test_robots_and_link_previewers(campaign: Campaign, agent: str) -> None:
    assert campaign.clients.kind(agent) == "robot"


@given(agent=st.text(max_size=3000))
def test_any_user_agent_has_a_kind(campaign: Campaign, agent: str) -> None:
    assert campaign.clients.kind(agent) in ("browser", "program", "robot")


def test_a_known_user_agent_costs_next_to_nothing(campaign: Campaign) -> None:
    campaign.clients.kind(BROWSERS[0])
    start = perf_counter()
    for _ in range(1000):
        campaign.clients.kind(BROWSERS[0])
    assert perf_counter() - start < 0.1
