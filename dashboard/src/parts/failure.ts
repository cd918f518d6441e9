/** What stands first after an end that nobody asked for: what happened, what is left, what to do. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { aftermath, longer, type Advice } from '../model/aftermath';
import type { Placed, Run } from '../model/run';
import type { Drawn } from '../model/story';
import { counter } from '../model/words';
import { whyNot } from '../model/commands';
import type { Page } from '../page';
import { link } from '../router';
import { button, more } from './commands';
import { heroCard } from './hero-card';
import { glyph, icon, reading, time } from './marks';

export function failure(page: Page, known: Drawn): TemplateResult {
  const { run, story } = known;
  const { deployment } = run;
  const of = aftermath(run, story);
  const where = deployment.currentBatch ? `, in batch ${deployment.currentBatch} of ${deployment.numberOfBatches}` : '';
  const end = run.end ?? run.now;
  return heroCard(page, run, {
    buttons: html`<div class="bs">${retry(page, run)}${more(page, run)}</div>`,
    why: deployment.comment,
    who: html`started by ${deployment.startedBy} · ended ${time(end)}, after ${counter(end - run.start)}${where}`,
    body: html`<div class="three">
      <div>
        <h2>What happened</h2>
        <p>${of.happened}</p>
        ${run.rollBack && run.rollBack.why !== deployment.reason
          ? html`<p>It began to roll back at ${run.rollBack.percent} %: ${run.rollBack.why}.</p>`
          : nothing}
        ${said(of.sick)}${of.code ? html`<p class="small mute"><code>${of.code}</code></p>` : nothing}
      </div>
      <div>
        <h2>What is left</h2>
        <ul>
          ${of.left.map((one) => html`<li>${icon('check')}<span>${one}</span></li>`)}
          ${deployment.dangers?.map(
            (one) => html`<li class="badtext">${icon('warning')}<span>${one.message}</span></li>`,
          )}
        </ul>
      </div>
      <div>
        <h2>What to do</h2>
        <div class="do">${of.advice.map((one, i) => advice(page, run, of.sick, one, i === 0))}</div>
      </div>
    </div>`,
  });
}

/** Of the sick VMs the first few, with what each source said. */
function said(sick: readonly Placed[]): TemplateResult | typeof nothing {
  if (sick.length === 0) return nothing;
  const shownVms = sick.slice(0, 3);
  const rest = sick.length - shownVms.length;
  return html`<ul class="said">
    ${shownVms.map(
      (vm) =>
        html`<li>
          <span class="side">${glyph(vm.side)}<b>${vm.name}</b></span>
          <span class="readings"> ${vm.readings.map((one) => reading(one, `${one.source} `))} </span>
        </li>`,
    )}
    ${rest ? html`<li class="mute">and ${rest} more</li>` : nothing}
  </ul>`;
}

function retry(page: Page, run: Run): TemplateResult {
  return button('', 'retry', 'Retry…', whyNot('retry', page), () => again(page, run));
}

function again(page: Page, run: Run, gracePeriod?: number): void {
  const { id, groupId } = run.deployment;
  page.deploy({ groupId, retryOf: id, ...(gracePeriod ? { gracePeriod } : {}) });
}

function advice(page: Page, run: Run, sick: readonly Placed[], of: Advice, first: boolean): TemplateResult {
  const { id, groupId } = run.deployment;
  const look = first ? 'primary' : '';
  const proof = sick.find((vm) => vm.evidence)?.vmId ?? '';
  const act =
    of.does === 'evidence'
      ? html`<a class="b ${look}" href=${link.vm(id, proof)}>${icon('search')}${of.button}</a>`
      : of.does === 'deploy'
        ? button(look, 'image', of.button, whyNot('start', page), () => page.deploy({ groupId }))
        : button(look, 'retry', of.button, whyNot('retry', page), () =>
            again(page, run, of.does === 'retry' ? undefined : longer(run)),
          );
  return html`<div>
    <p>${of.text}</p>
    ${act}
  </div>`;
}
