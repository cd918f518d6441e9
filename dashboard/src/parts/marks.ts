/** The small marks that everything is made of: icons, statuses, sides, versions, times. */
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import type { Status } from '../api/types';
import type { Placed } from '../model/run';
import { shown, vmShown, type Shown } from '../model/status';
import { clock, moment, utc } from '../model/words';

export type Content = TemplateResult | string | number | typeof nothing;

export const icon = (name: string, more = ''): TemplateResult =>
  html`<svg class="i ${more}" aria-hidden="true">${svg`<use href="#i-${name}"></use>`}</svg>`;

const marked = ({ word, icon: name, tone }: Shown, more = ''): TemplateResult =>
  html`<span class="st ${tone} ${more}">${icon(name, name === 'progress' ? 'spin' : '')}${word}</span>`;

export const status = (of: Status): TemplateResult => marked(shown(of));
export const pill = (of: Status): TemplateResult => marked(shown(of), 'pill');
export const vmStatus = (vm: Placed): TemplateResult => marked(vmShown(vm));

export const glyph = (side: Placed['side'] | 'new' | 'out'): TemplateResult => html`<i class="g ${side}" aria-hidden="true"></i>`;

export const version = (of: string): TemplateResult => html`<span class="ver">${of}</span>`;

/** From an image to another; of a deployment that changes no image, the one. */
export function fromTo(from: string, to: string): TemplateResult {
  if (!from || from === to) return version(to);
  return html`${version(from)}<span class="arrow"> → <span class="sr">to</span></span
    >${version(to)}`;
}

/** A time of day, exact for whoever hovers. */
export const time = (at: number, withSeconds = false): TemplateResult =>
  html`<time datetime=${new Date(at * 1000).toISOString()} title=${utc(at)}>${clock(at, withSeconds)}</time>`;

/** The same with its day. */
export const when = (at: number, now: number): TemplateResult =>
  html`<time datetime=${new Date(at * 1000).toISOString()} title=${utc(at)}>${moment(at, now)}</time>`;

/** A row of facts. */
export const fact = (name: Content, value: Content): TemplateResult =>
  html`<dt>${name}</dt>
    <dd>${value}</dd>`;

/** What somebody is told: a note with an icon. */
export const note = (tone: '' | 'warn' | 'bad', sign: string, content: Content): TemplateResult =>
  html`<div class="note ${tone}">
    ${icon(sign)}
    <div>${content}</div>
  </div>`;
