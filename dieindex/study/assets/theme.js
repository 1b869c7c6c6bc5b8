"use strict";
// Before anything is painted: dark or light, as the page around it says, else as the system has it.
(() => {
  const root = document.documentElement;
  const said = new URLSearchParams(location.search).get("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const show = () => { root.dataset.theme = (said ? said === "dark" : system.matches) ? "dark" : "light"; };
  show();
  system.addEventListener("change", show);
})();
