/** What narrows a list down: chips, of which one is pressed, and a field to search in. Both are in the address. */
import { html, type TemplateResult } from 'lit-html';
import { icon } from './marks';

/** One chip; `sign` is what stands before its word. */
export const chip = (
  pressed: boolean,
  sign: unknown,
  word: string,
  count: number,
  choose: () => void,
): TemplateResult =>
  html`<button class="chip" type="button" aria-pressed=${pressed} @click=${choose}>${sign}${word} <b>${count}</b></button>`;

export const find = (what: string, hint: string, text: string, change: (text: string) => void): TemplateResult =>
  html`<div class="find">
    ${icon('search')}<input
      type="search"
      placeholder=${hint}
      aria-label="Find a ${what}"
      .value=${text}
      @input=${(event: InputEvent) => change((event.target as HTMLInputElement).value)}
    />
  </div>`;
