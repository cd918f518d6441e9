/** One line for each deployment under way, wherever one is on the page. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Deployment } from '../api/types';
import { whenNobody } from '../model/commands';
import { fromTo as images } from '../model/images';
import { shown } from '../model/status';
import { seconds } from '../model/words';
import { timeLeft, waitsFor } from '../model/waiting';
import type { Page } from '../page';
import { link } from '../router';
import { command } from './commands';
import { bar, fromTo, icon, status, told } from './marks';

/** `here`: on the deployment's own page, where nobody has to open it. */
export function banner(page: Page, of: Deployment, here = false): TemplateResult {
  const left = timeLeft(of, page.now);
  const tone = shown(of.status).tone;
  const { from, to } = images(of.image);
  const first = of.status === 'awaitingApproval' ? 'approve' : of.status === 'paused' ? 'resume' : 'pause';
  const batch = of.currentBatch ? `Batch ${of.currentBatch} of ${of.numberOfBatches}` : 'Before the first batch';
  return html`<div
    class="mini ${tone === 'warn' ? 'warn' : ''}"
    role="region"
    aria-label="${of.groupId} ${shown(of.status).word.toLowerCase()}"
  >
    <div>
      ${status(of.status)}<a class="what" href=${link.deployment(of.id)}>${of.groupId} ${fromTo(from, to)}</a>
      <span class="soft nowrap s">${batch}</span>
      ${bar(of.progress, 'green')}
      <span class="soft nowrap s">${of.progress} %${left ? `, ${left}` : ''}</span>
      <span class="wait s">${waits(of)}</span>
      <div class="bs">
        ${command(page, of, first, 'small')}${command(page, of, 'stop', 'small')}
        ${here
          ? command(page, of, 'rollBack', 'small')
          : html`<a class="b small" href=${link.deployment(of.id)}>Open</a>`}
      </div>
    </div>
  </div>`;
}

/** What is asked, by when, and what happens then. */
function waits(of: Deployment): TemplateResult | string {
  const { decision } = of;
  if (!decision) return waitsFor(of.reason);
  const asked = decision.asked === 'approve' ? 'Somebody must approve' : 'Somebody must let it go on';
  const deadline = seconds(decision.deadline);
  return html`${asked} within <b><teal-until .at=${deadline}></teal-until></b>, else ${whenNobody(decision.action)}`;
}

/** What stands between a scale set and order. */
export function dangers(of: Deployment['dangers']): TemplateResult | typeof nothing {
  if (!of?.length) return nothing;
  return html`<div class="stack dangers">${of.map((one) => told('bad', 'warning', one))}</div>`;
}

export function lostBar(what: string, again: () => void, next: number): TemplateResult {
  return html`<div class="mini bad" role="alert">
    <div>
      <span class="st bad">${icon('plug')}${what}</span>
      <span class="wait s">Below is what was known last; deployments do not depend on this page.</span>
      <span class="soft nowrap s"
        >Next try in <b><teal-until .at=${next}></teal-until></b
      ></span>
      <button class="b small" type="button" @click=${again}>${icon('retry')}Try now</button>
    </div>
  </div>`;
}
