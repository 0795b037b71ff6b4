// <emblem-logo src="https://HOST/logos/KEY/LOGO" colourway="blue" width="256" alt="…">: a logo within the brand rules.
//
// `src` is an embed's base_url. The logo is as wide as asked for, in the density of the screen; `on` names the
// background as rrggbb, `space` adds the clear space around it. Where the rules or the embed refuse it nothing is shown,
// and an `emblem-error` event has the problem, which says what would be right. Depends on nothing, and sends nothing.
const DENSITIES = [1, 2, 3];

class EmblemLogo extends HTMLElement {
  static observedAttributes = ["src", "colourway", "width", "alt", "on", "space"];

  connectedCallback() {
    this.render();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.render();
  }

  address(density) {
    const width = Math.round(Number(this.getAttribute("width") || 256) * density);
    // Above 512 pixels widths are multiples of 16.
    const offered = width > 512 ? Math.min(4096, Math.ceil(width / 16) * 16) : width;
    const query = new URLSearchParams();
    if (this.getAttribute("on")) query.set("on", this.getAttribute("on").replace("#", ""));
    if (this.hasAttribute("space")) query.set("space", "1");
    const colourway = encodeURIComponent(this.getAttribute("colourway") || "blue");
    return `${this.getAttribute("src")}/${colourway}/${offered}.auto${query.size ? `?${query}` : ""}`;
  }

  render() {
    if (!this.getAttribute("src")) return;
    const root = this.shadowRoot || this.attachShadow({ mode: "open" });
    const image = document.createElement("img");
    image.alt = this.getAttribute("alt") || "";
    image.decoding = "async";
    image.referrerPolicy = "strict-origin";
    image.style.inlineSize = `${Number(this.getAttribute("width") || 256)}px`;
    image.style.maxInlineSize = "100%";
    image.style.blockSize = "auto";
    image.addEventListener("error", () => this.refused(image));
    image.srcset = DENSITIES.map((density) => `${this.address(density)} ${density}x`).join(", ");
    image.src = this.address(1);
    root.replaceChildren(image);
  }

  async refused(image) {
    image.remove();
    let problem = { title: "The logo cannot be reached." };
    try {
      const answer = await fetch(this.address(1), { referrerPolicy: "strict-origin" });
      if (!answer.ok) problem = await answer.json();
    } catch {
      // What is known is told.
    }
    this.dispatchEvent(new CustomEvent("emblem-error", { bubbles: true, composed: true, detail: problem }));
  }
}

if (!customElements.get("emblem-logo")) customElements.define("emblem-logo", EmblemLogo);
