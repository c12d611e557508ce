// What the pages do beside links and forms: keys, the drawer, the theme, news. Without it they work.
"use strict";
(() => {
  const root = document.documentElement;
  const one = (query) => document.querySelector(query);
  const drawer = one("#drawer");
  const help = one("#help");
  const renew = () => document.dispatchEvent(new Event("mem0:renewed"));

  // The theme: the system's, until somebody chooses. A cookie, so that the server draws it at once.
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const switchTheme = () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    document.cookie = `fm0_theme=${root.dataset.theme}; path=/; max-age=31536000; SameSite=Strict`;
    renew();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew);
  one("#theme")?.addEventListener("click", switchTheme);
  one("#keys")?.addEventListener("click", () => help.showModal());

  // The drawer: a page of its own, shown beside the list. Its address is in the address bar.
  const fill = async (address) => {
    const answer = await fetch(address, { headers: { "X-Part": "1", Accept: "text/html" } });
    if (answer.status === 401) { location.assign(address); return false; }
    drawer.innerHTML = await answer.text();  // made by our server, which has escaped every text
    if (!drawer.open) drawer.showModal();
    drawer.scrollTop = 0;
    drawer.querySelector("h1, h2")?.setAttribute("tabindex", "-1");
    drawer.querySelector("h1, h2")?.focus();
    renew();
    return true;
  };
  const openDrawer = async (address) => {
    try {
      if (await fill(address)) {
        if (history.state?.drawer) history.replaceState({ drawer: true }, "", address);
        else history.pushState({ drawer: true }, "", address);
      }
    } catch { location.assign(address); }
  };
  const closeDrawer = () => { if (history.state?.drawer) history.back(); else drawer.close(); };
  drawer.addEventListener("cancel", (event) => { event.preventDefault(); closeDrawer(); });
  drawer.addEventListener("click", (event) => { if (event.target === drawer) closeDrawer(); });
  addEventListener("popstate", () => {
    if (history.state?.drawer) fill(location.href).catch(() => location.reload());
    else if (drawer.open) { drawer.close(); drawer.innerHTML = ""; }
    else location.reload();
  });

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const target = event.target;
    if (target.closest("[data-close]") && drawer.open) { event.preventDefault(); closeDrawer(); return; }
    let link = target.closest("a");
    if (!link && !target.closest("button, input, select, label") && !getSelection().toString()) {
      link = target.closest("tr[data-row]")?.querySelector("a");
      if (link && !("drawer" in link.dataset)) { link.click(); return; }
    }
    if (link && "drawer" in link.dataset) { event.preventDefault(); openDrawer(link.href); }
  });

  // Filters: a choice applies at once, and what is empty does not stand in the address.
  document.addEventListener("change", (event) => {
    if (event.target.matches("form.filters select, form.filters input[type=date]")) event.target.form.requestSubmit();
  });
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches("form.filters")) return;
    for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  });
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.sure;
    if (question && !confirm(question)) event.preventDefault();
  });

  // Keys.
  const step = (by) => {
    const inside = drawer.open ? drawer : document;
    const rows = [...inside.querySelectorAll("tr[data-row] a:first-of-type")];
    if (!rows.length) return;
    const at = rows.findIndex((link) => link.closest("tr").contains(document.activeElement));
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
    next.focus();
    next.closest("tr").scrollIntoView({ block: "nearest" });
  };
  const follow = (query) => one(query)?.click();
  const KEYS = {
    j: () => step(1),
    k: () => step(-1),
    n: () => follow("a[rel=next]"),
    p: () => follow("a[rel=prev]"),
    t: switchTheme,
    "?": () => { if (!help.open) help.showModal(); },
    "/": () => { const field = one("[data-first], form.filters input"); field?.focus(); field?.select?.(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest("input, select, textarea, [contenteditable]")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(); }
    else if (/^[1-9]$/.test(event.key)) follow(`.bar nav a:nth-of-type(${event.key})`);
  });

  // News: what has `data-live` is asked for again when the server says that something happened.
  let waits = null;
  const refresh = async () => {
    waits = null;
    if (document.hidden) { missed = true; return; }
    if (![...document.querySelectorAll("[data-live]")].length || drawer.open) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live][id]")) {
      const made = fresh.getElementById(old.id);
      if (made && !old.contains(document.activeElement)) old.replaceWith(made);
    }
    renew();
  };
  let missed = false;
  const soon = () => { waits ??= setTimeout(() => refresh().catch(() => {}), 300); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && missed) { missed = false; soon(); } });
  document.addEventListener("mem0:news", soon);
  if (document.body.dataset.stream) {
    const shown = one("#live");
    const hear = ({ state, news }) => {
      if (news !== undefined) document.dispatchEvent(new CustomEvent("mem0:news", { detail: news }));
      if (!state) return;
      shown.hidden = false;
      shown.className = state === "live" ? "live" : "live off";
      shown.textContent = state;
    };
    // One stream for all pages of the browser, which opens few connections to one address.
    const { stream, news } = document.body.dataset;
    const worker = "SharedWorker" in window ? new SharedWorker(news) : null;
    if (worker) worker.port.onmessage = ({ data }) => hear(data);
    const enter = () => (worker ? worker.port.postMessage({ address: stream }) : mem0News.enter(hear, stream));
    const leave = () => (worker ? worker.port.postMessage({}) : mem0News.leave(hear));
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => { if (event.persisted) enter(); });
    if (worker) enter();
    else {
      const script = document.createElement("script");
      script.src = news;
      script.onload = enter;
      document.head.append(script);
    }
  }
})();
