// Before anything is painted: dark or light, as chosen, else as the system has it.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("theme"); } catch { /* (private windows) */ }
  const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
