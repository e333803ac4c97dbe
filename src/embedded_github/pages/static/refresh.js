// A page that shows something running looks again by itself and swaps its content in place:
// what was folded open stays open, and the page does not jump.
"use strict";

const openness = (main) => [...main.querySelectorAll("details")].map((one) => one.open);

const again = async () => {
  const main = document.querySelector("main");
  const seconds = Number(main?.dataset.refresh ?? 0);
  if (!seconds) return;
  await new Promise((done) => setTimeout(done, seconds * 1000));
  // Nobody looks, or somebody is marking text: not now.
  if (!document.hidden && String(getSelection()) === "") {
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) swap(main, new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // The server is gone; it may come back.
    }
  }
  again();
};

const swap = (main, page) => {
  const fresh = page.querySelector("main");
  if (!fresh || fresh.outerHTML === main.dataset.shown) return;
  const before = openness(main);
  const shown = fresh.outerHTML;
  const folded = [...fresh.querySelectorAll("details")];
  // Content only grows at its end, so a block keeps its place; a new one shows as the server made it.
  folded.forEach((one, at) => { if (at < before.length) one.open = before[at]; });
  fresh.dataset.shown = shown;
  main.replaceWith(fresh);
  const tabs = page.querySelector(".tabs");
  if (tabs) document.querySelector(".tabs")?.replaceWith(tabs);
  document.title = page.title;
};

again();
