// Wear the logo: a photo with the logo, a ribbon or a frame on it, drawn on a canvas. The photo is read here and goes
// nowhere; what is drawn over it is loaded with the page, so that nothing is asked of the network afterwards. The
// file that is saved is drawn anew: nothing of what a camera writes beside a photo (EXIF) is in it.

const box = document.getElementById("wear");
const canvas = document.getElementById("w-canvas");
const pen = canvas.getContext("2d");
const said = document.getElementById("w-said");
const get = (name) => document.getElementById(`w-${name}`);
const [size, across, down, zoom] = ["size", "x", "y", "zoom"].map(get);

const SIDE = Number(box.dataset.side);
const RIBBON = Number(box.dataset.ribbon);
const ASPECT = Number(box.dataset.aspect); // width by height of the logo
const CLEAR = Number(box.dataset.clear); // space around it, as a share of its width
const STEP = 2; // per cent that an arrow key moves it

const load = (address) => {
  const picture = new Image();
  picture.src = address;
  return picture.decode().then(() => picture);
};
let photo = null;
let parts = null; // what is drawn over the photo

Promise.all([load(box.dataset.heart), load(box.dataset.frame), load(box.dataset.strip)]).then(([heart, frame, strip]) => {
  parts = { heart, frame, strip };
  box.hidden = false;
  get("ready").hidden = true;
  if (!matchMedia("(pointer: coarse)").matches) document.querySelector("[data-camera]").hidden = true;
  draw();
});

const worn = () => document.querySelector("[name=worn]:checked").value;

// The white disc on which the logo stands has room for the clear space; all of it stays inside the picture.
function disc() {
  const width = (SIDE * Number(size.value)) / 100;
  const height = width / ASPECT;
  const radius = Math.hypot(width, height) / 2 + CLEAR * width;
  const room = SIDE - 2 * radius;
  const at = (slider) => radius + (room * Number(slider.value)) / 100;
  return { width, height, radius, room, x: at(across), y: at(down) };
}

function draw() {
  pen.clearRect(0, 0, SIDE, SIDE);
  drawPhoto();
  if (!parts) return;
  const kind = worn();
  for (const [name, kinds] of [["size", ["heart"]], ["x", ["heart"]], ["y", ["heart", "ribbon"]]]) {
    document.querySelector(`[data-for=${name}]`).hidden = !kinds.includes(kind);
  }
  if (kind === "frame") pen.drawImage(parts.frame, 0, 0, SIDE, SIDE);
  if (kind === "ribbon") pen.drawImage(parts.strip, 0, ((SIDE - RIBBON) * Number(down.value)) / 100, SIDE, RIBBON);
  if (kind === "heart") {
    const { width, height, radius, x, y } = disc();
    pen.fillStyle = "#fff";
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
    pen.drawImage(parts.heart, x - width / 2, y - height / 2, width, height);
  }
}

function drawPhoto() {
  if (!photo) {
    pen.fillStyle = "#c9d6e4"; // a head and shoulders, until there is a photo
    pen.fillRect(0, 0, SIDE, SIDE);
    pen.fillStyle = "#8fa5bd";
    pen.beginPath();
    pen.arc(SIDE / 2, SIDE * 0.4, SIDE * 0.18, 0, 2 * Math.PI);
    pen.ellipse(SIDE / 2, SIDE, SIDE * 0.36, SIDE * 0.36, 0, 0, 2 * Math.PI);
    pen.fill();
    return;
  }
  pen.fillStyle = "#fff"; // under photos that are transparent
  pen.fillRect(0, 0, SIDE, SIDE);
  const scale = (Math.max(SIDE / photo.width, SIDE / photo.height) * Number(zoom.value)) / 100;
  const [width, height] = [photo.width * scale, photo.height * scale];
  pen.drawImage(photo, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
}

const say = (name) => (said.textContent = said.dataset[name]);

async function take(file) {
  if (!file) return;
  try {
    photo = await createImageBitmap(file, { imageOrientation: "from-image" });
    say("ready");
  } catch {
    say("unreadable");
  }
  draw();
}
for (const name of ["photo", "camera"]) get(name).addEventListener("change", (event) => take(event.target.files[0]));
for (const slider of [size, across, down, zoom]) slider.addEventListener("input", draw);
for (const radio of document.querySelectorAll("[name=worn]")) radio.addEventListener("change", draw);

// ---- by pointer

function move(event) {
  const shown = canvas.getBoundingClientRect();
  const x = ((event.clientX - shown.left) / shown.width) * SIDE;
  const y = ((event.clientY - shown.top) / shown.height) * SIDE;
  const { radius, room } = disc();
  const part = (value, start, length) => String(Math.round(Math.min(1, Math.max(0, (value - start) / length)) * 100));
  if (worn() === "ribbon") down.value = part(y, RIBBON / 2, SIDE - RIBBON);
  if (worn() === "heart") {
    across.value = part(x, radius, room);
    down.value = part(y, radius, room);
  }
  draw();
}
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  move(event);
});
canvas.addEventListener("pointermove", (event) => {
  if (canvas.hasPointerCapture(event.pointerId)) move(event);
});

// ---- by keyboard

const KEYS = {
  ArrowLeft: [across, -STEP], ArrowRight: [across, STEP], ArrowUp: [down, -STEP], ArrowDown: [down, STEP],
  "+": [size, 1], "=": [size, 1], "-": [size, -1],
};
canvas.addEventListener("keydown", (event) => {
  const [slider, by] = KEYS[event.key] ?? [];
  if (!slider || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  slider.value = String(Number(slider.value) + by);
  draw();
});

// ---- out

const picture = (type) => new Promise((done) => canvas.toBlob(done, type, 0.92));

async function save(type, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await picture(type));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say("saved");
}
get("png").addEventListener("click", () => save("image/png", "profile.png"));
get("jpeg").addEventListener("click", () => save("image/jpeg", "profile.jpg"));

const sample = new File([], "profile.png", { type: "image/png" });
if (navigator.canShare?.({ files: [sample] })) {
  get("share").hidden = false;
  get("share").addEventListener("click", async () => {
    const file = new File([await picture("image/png")], "profile.png", { type: "image/png" });
    await navigator.share({ files: [file] }).catch(() => {}); // who closes the sheet shares nothing
  });
}
