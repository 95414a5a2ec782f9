// Renews the page where it stands: asks for it again, and changes only what is different. Without this script a page
// reloads as a whole.
"use strict";
(() => {
  const EVERY = 10_000, PATIENCE = 9_000;
  const [age, pause, lost] = ["age", "pause", "lost"].map((id) => document.getElementById(id));
  const rendered = () => Date.parse(document.getElementById("rendered").dateTime);
  let etag = "", timer = 0, asking = false, paused = new URLSearchParams(location.search).get("refresh") === "0";
  // Moments are told by the agent's clock, which may differ from this one: only how much time passed counts.
  let agentTime = rendered(), here = performance.now(), heard = here, trouble = "";

  const now = () => agentTime + performance.now() - here;

  function span(seconds) {
    for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]]) {
      const rest = seconds / size;
      if (rest >= 1) return `${rest < 9.95 ? Number(rest.toPrecision(2)) : Math.round(rest).toLocaleString("en")} ${unit}`;
    }
    return `${seconds} s`;
  }

  function ago(seconds) {
    if (seconds < -1) return `in ${span(Math.round(-seconds))}`;
    return seconds < 1 ? "now" : `${span(Math.floor(seconds))} ago`;
  }

  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  function tick() {
    const since = Math.floor((performance.now() - heard) / 1000);
    write(age, `${paused ? "Paused; updated" : "Updated"} ${ago(since)}`);
    for (const one of document.querySelectorAll("main time")) {
      const passed = (now() - Date.parse(one.dateTime)) / 1000;
      if ("lasting" in one.dataset && !isHeld(one)) write(one, span(Math.max(0, Math.floor(passed))));
      else if (/ ago$|^now$|^in /.test(one.textContent) && !isHeld(one)) write(one, ago(passed));
    }
    lost.hidden = !trouble;
    if (trouble) write(lost, `${trouble} It is asked again every ${EVERY / 1000} s. What you see is ${span(since)} old.`);
  }

  // Text that somebody has selected stays as it is.
  function isHeld(node) {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(node, true);
  }

  const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id : "";
  const isAlike = (a, b) => a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data && !isHeld(old)) old.data = fresh.data;
      return;
    }
    if (old.isEqualNode(fresh)) return;
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !isReaders(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !isReaders(old, name)) old.setAttribute(name, value);
    }
    morphChildren(old, fresh);
  }

  // What the reader decides: whether details are open.
  const isReaders = (node, name) => node.nodeName === "DETAILS" && name === "open";

  function morphChildren(old, fresh) {
    const keyed = new Map([...old.childNodes].filter(keyOf).map((node) => [keyOf(node), node]));
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const key = keyOf(next);
      const match = key ? keyed.get(key) : at && !keyOf(at) ? at : null;
      if (match && isAlike(match, next)) {
        if (match === at) at = at.nextSibling;
        else old.insertBefore(match, at);
        morph(match, next);
      } else {
        old.insertBefore(document.importNode(next, true), at);
      }
      keyed.delete(key);
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      if (!isHeld(gone)) gone.remove();
    }
  }

  function take(text) {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const script = (one) => one.querySelector("script[src]")?.getAttribute("src");
    if (script(fresh) !== script(document)) {  // another version of the agent
      location.reload();
      return;
    }
    const focused = document.activeElement;
    agentTime = Date.parse(fresh.getElementById("rendered").dateTime);
    here = performance.now();
    if (document.title !== fresh.title) document.title = fresh.title;
    morph(document.querySelector(".top nav"), fresh.querySelector(".top nav"));
    morph(document.getElementById("main"), fresh.getElementById("main"));
    // To move a row takes the focus from what is in it.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  }

  async function ask() {
    if (asking) return;
    asking = true;
    try {
      const headers = etag ? { "If-None-Match": etag } : {};
      const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
      if (answer.status === 401) trouble = "The agent asks for a password: load the page again.";
      else if (answer.status >= 500) trouble = `The agent answers with an error (HTTP ${answer.status}).`;
      else {
        if (answer.status !== 304) {
          take(await answer.text());
          etag = answer.headers.get("ETag") ?? "";
        }
        heard = performance.now();
        trouble = "";
      }
    } catch {
      trouble = "The agent cannot be reached.";
    }
    asking = false;
    tick();
    plan();
  }

  function plan() {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(ask, EVERY);
  }

  pause.hidden = false;
  write(pause, paused ? "Resume" : "Pause");
  pause.addEventListener("click", () => {
    paused = !paused;
    write(pause, paused ? "Resume" : "Pause");
    if (paused) clearTimeout(timer);
    else ask();
    tick();
  });
  document.addEventListener("visibilitychange", () => document.hidden || paused ? clearTimeout(timer) : ask());
  setInterval(() => document.hidden || tick(), 1000);
  tick();
  plan();
})();
