/** The buttons of a deployment. One that cannot be used is there, off, and says why. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { address } from '../api/client';
import type { CommandKind, Deployment } from '../api/types';
import { COMMANDS, offered, whyNot } from '../model/commands';
import type { Run } from '../model/run';
import { named } from '../model/words';
import { tealWatch } from '../model/teal';
import type { Page } from '../page';
import { icon } from './marks';

export function command(page: Page, of: Deployment, kind: CommandKind, look = ''): TemplateResult {
  const why = whyNot(kind, page, of);
  const primary = (kind === 'approve' || kind === 'resume') && !why ? 'primary' : '';
  return button(`${primary} ${look}`, COMMANDS[kind], `${named(kind)}…`, why, () => page.confirm(kind, of));
}

/** A button; `why` says why it is off, and is empty where it is on. */
export function button(look: string, sign: string, words: string, why: string, click: () => void): TemplateResult {
  return html`<button
    class="b ${look}"
    type="button"
    aria-disabled=${why !== ''}
    title=${why || nothing}
    @click=${() => why || click()}
  >
    ${sign ? icon(sign) : nothing}${words}${why ? html`<span class="sr">: ${why}</span>` : nothing}
  </button>`;
}

/** Those that a deployment has, and why none of them can be used. */
export function commands(page: Page, of: Deployment, rest: TemplateResult): TemplateResult {
  const kinds = offered(of);
  const why = kinds.map((kind) => whyNot(kind, page)).find(Boolean);
  return html`<div class="bs">${kinds.map((kind) => command(page, of, kind))}${rest}</div>
    ${why ? html`<p class="why">${icon('lock')}${why}</p>` : nothing}`;
}

/** What can be taken along. */
export function more(page: Page, run: Run): TemplateResult {
  const { deployment: of, batches, vms, events } = run;
  const curl = `curl -H "x-functions-key: $KEY" ${address(`deployments/${of.id}`)}`;
  const entry = (sign: string, words: unknown, click: () => void): TemplateResult =>
    html`<button type="button" @click=${close(click)}>${icon(sign)}<span>${words}</span></button>`;
  const everything = (): string => JSON.stringify({ ...of, batches, vms, events }, null, 2);
  return html`<details class="menu" @focusout=${leave} @keydown=${escape}>
    <summary class="b icon" aria-label="Copy or download">${icon('more')}</summary>
    <div>
      ${entry('copy', html`Copy as <code>curl</code>`, () => page.copy(curl, 'The command'))}
      ${entry('copy', html`Copy as <code>teal</code>`, () =>
        page.copy(tealWatch(location.origin, of.id), 'The command'),
      )}
      ${entry('copy', 'Copy link', () => page.copy(location.href, 'The link'))}
      ${entry('down', 'Download as JSON', () => page.save(`${of.id}.json`, everything(), 'application/json'))}
    </div>
  </details>`;
}

const menu = (event: globalThis.Event): HTMLDetailsElement | null =>
  (event.currentTarget as Element).closest<HTMLDetailsElement>('details.menu');

function close(click: () => void): (event: globalThis.Event) => void {
  return (event) => {
    click();
    const open = menu(event);
    open?.removeAttribute('open');
    open?.querySelector('summary')?.focus();
  };
}

function leave(event: FocusEvent): void {
  const open = menu(event);
  if (open && !open.contains(event.relatedTarget as Node | null)) open.open = false;
}

function escape(event: KeyboardEvent): void {
  if (event.key !== 'Escape') return;
  const open = menu(event);
  open?.removeAttribute('open');
  open?.querySelector('summary')?.focus();
}
