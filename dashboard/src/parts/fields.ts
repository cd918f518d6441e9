/** The fields of forms: each with its label, and with what it does or why it is off. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Content } from './marks';

export const textOf = (event: Event): string => (event.target as HTMLInputElement).value;

export const field = (id: string, word: Content, control: Content, help: Content = nothing): TemplateResult =>
  html`<div class="f">
    <label for=${id}>${word}</label>
    ${control}${help === nothing ? nothing : html`<p class="h" id="${id}-h">${help}</p>`}
  </div>`;

export const text = (id: string, value: string, put: (text: string) => void): TemplateResult =>
  html`<input
    id=${id}
    maxlength="256"
    autocomplete="off"
    .value=${value}
    @change=${(event: Event) => put(textOf(event))}
  />`;

/** A whole number; `put` is told of NaN while there is none. */
export const count = (
  id: string,
  word: string,
  value: number | null | undefined,
  [min, max]: readonly [number, number],
  put: (value: number) => void,
  off = false,
): TemplateResult =>
  html`<input
    id=${id}
    type="number"
    min=${min}
    max=${max}
    placeholder="not given"
    ?disabled=${off}
    aria-label=${word}
    aria-describedby="${id}-h"
    .value=${String(value ?? '')}
    @input=${(event: Event) => put((event.target as HTMLInputElement).valueAsNumber)}
  />`;

export interface Option {
  value: string;
  words: string;
  off?: boolean;
}

export const select = (
  id: string,
  word: string,
  value: string,
  options: readonly Option[],
  put: (value: string) => void,
): TemplateResult =>
  html`<select id=${id} aria-label=${word} @change=${(event: Event) => put(textOf(event))}>
    ${options.map(
      (one) =>
        html`<option value=${one.value} ?disabled=${one.off} ?selected=${one.value === value}>${one.words}</option>`,
    )}
  </select>`;

/** A box to check; `why` says why it is off. */
export const checkbox = (
  name: string,
  word: string,
  checked: boolean,
  put: (checked: boolean) => void,
  why = '',
): TemplateResult =>
  html`<label class=${why ? 'off' : ''}
    ><input
      type="checkbox"
      name=${name}
      ?disabled=${why !== ''}
      .checked=${checked}
      @change=${(event: Event) => put((event.target as HTMLInputElement).checked)}
    />${word} <span class="mute">${why}</span></label
  >`;
