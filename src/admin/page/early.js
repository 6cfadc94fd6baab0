// Before anything is drawn, so that nobody is dazzled at night. What cannot be read is as if it had never been set.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system decides.
}
