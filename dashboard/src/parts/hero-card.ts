/** The card that stands first on a deployment's page: how it stands, what can be done, who asked for it. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Run } from '../model/run';
import { shown } from '../model/status';
import type { Page } from '../page';
import { fromTo, icon, pill, type Content } from './marks';

export interface Hero {
  buttons: Content;
  /** Why it is there, in somebody's words. */
  why: string;
  who: Content;
  body: Content;
}

export function heroCard(page: Page, run: Run, { buttons, why, who, body }: Hero): TemplateResult {
  const { groupId, status } = run.deployment;
  const { word, tone } = shown(status);
  return html`<section class="hero ${tone}" aria-label="Status">
    <header>
      ${page.lost ? html`<span class="st pill">${icon('plug')}Was ${word.toLowerCase()}</span>` : pill(status)}
      <h1>${groupId} <span>${run.rollBack ? fromTo(run.to, run.from) : fromTo(run.from, run.to)}</span></h1>
      <span class="grow"></span>${buttons}
      <p class="meta">${why && `${why} · `}${who}</p>
    </header>
    ${body}
  </section>`;
}

/** One of the three things that it says: a heading, the answer, and more of it. */
export const answer = (heading: string, big: Content, rest: unknown = nothing): TemplateResult =>
  html`<div>
    <h2>${heading}</h2>
    <p class="big">${big}</p>
    ${rest}
  </div>`;
