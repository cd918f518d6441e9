/** What the page does to the browser's window, beside drawing. */

export function changeTheme(): void {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme:dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  localStorage.setItem('teal.theme', root.dataset.theme);
}

/** Give somebody a file that the page made. */
export function save(name: string, content: string, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const anchor = document.createElement('a');
  [anchor.href, anchor.download] = [url, name];
  anchor.click();
  URL.revokeObjectURL(url);
}

/** When the head of a deployment has gone out of sight, its line stays. */
export function stick(): void {
  const head = document.querySelector('.hero');
  document.querySelector('#stick')?.classList.toggle('on', (head?.getBoundingClientRect().bottom ?? 99) < 48);
}
