/** What every list has: a table that scrolls in itself, and what narrows it down. Both filters are in the address. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Page } from '../page';
import { changed } from '../router';
import { icon, type Content } from './marks';

export const table = (label: string, look: string, headings: TemplateResult, rows: unknown): TemplateResult =>
  html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
    <table class=${look}>
      <thead>
        <tr>
          ${headings}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;

/** What is said where a list has no rows, or not all of them. */
export const after = (words: Content): TemplateResult => html`<p class="s mute after">${words}</p>`;

/** One of the values by which a list is narrowed down; `sign` is what stands before its word. */
export interface Chip {
  value: string;
  word: string;
  sign?: Content;
  count: number;
}

/** Chips, of which the one is pressed whose value the address has under `name`. */
export function chips(
  page: Page,
  query: URLSearchParams,
  name: string,
  label: string,
  all: readonly Chip[],
): TemplateResult {
  const current = query.get(name) ?? '';
  return html`<div class="chips" role="group" aria-label=${label}>
    ${all.map(
      ({ value, word, sign = nothing, count }) =>
        html`<button
          class="chip"
          type="button"
          aria-pressed=${current === value}
          @click=${() => page.replace(changed(query, { [name]: value }))}
        >
          ${sign}${word} <b>${count}</b>
        </button>`,
    )}
  </div>`;
}

/** A field to search in. */
export const find = (page: Page, query: URLSearchParams, what: string, hint: string): TemplateResult =>
  html`<div class="find">
    ${icon('search')}<input
      type="search"
      placeholder=${hint}
      aria-label="Find a ${what}"
      .value=${query.get('find') ?? ''}
      @input=${(event: InputEvent) => page.replace(changed(query, { find: (event.target as HTMLInputElement).value }))}
    />
  </div>`;

/** What is searched for, in small letters. */
export const sought = (query: URLSearchParams): string => (query.get('find') ?? '').trim().toLowerCase();
