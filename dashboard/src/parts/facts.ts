/** The overview: the ten fields that Elastigroup's users know, and every other parameter. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { present } from '../model/health';
import { parameters } from '../model/parameters';
import type { Run } from '../model/run';
import { shown } from '../model/status';
import type { Story } from '../model/story';
import { clock, counter } from '../model/words';
import type { Page } from '../page';
import { link } from '../router';
import { fact, glyph, icon, note, time } from './marks';

export function facts(page: Page, run: Run, story: Story): TemplateResult {
  const { deployment } = run;
  const there = present(run);
  const batches = deployment.rollbackBatches
    ? `${deployment.numberOfBatches}, ${deployment.rollbackBatches} of them back`
    : deployment.numberOfBatches;
  const side = (color: 'blue' | 'green', name: string): TemplateResult =>
    html`<span class="side">${glyph(color)}${name}</span>`;
  return html`<section class="card" aria-labelledby="h-facts">
    <header><h2 id="h-facts">Overview</h2></header>
    <div class="body">
      <dl class="facts">
        ${fact('Deployment ID', html`<code>${deployment.id}</code>${copyId(page, deployment.id)}`)}
        ${fact('Number of batches', batches)}${fact('Current batch', deployment.currentBatch || 'none')}
        ${fact('Status', shown(deployment.status).word)}
        ${fact('Started at', deployment.startedAt ? time(run.start, true) : 'not yet')}${fact(
          'Ended at',
          ends(run, story),
        )}
        ${fact('Health check', deployment.healthCheckTypes.join(', '))}
        ${fact('Grace period', `${deployment.gracePeriod} s`)}
        ${fact(side('blue', 'Blue VMs'), there.blue)}${fact(side('green', 'Green VMs'), there.green)}
        <div class="sep"></div>
        ${fact('Started by', deployment.startedBy)}${deployment.comment ? fact('Comment', deployment.comment) : nothing}
        ${deployment.retryOf
          ? fact(
              'Retry of',
              html`<a href=${link.deployment(deployment.retryOf)}><code>${deployment.retryOf}</code></a>`,
            )
          : nothing}
      </dl>
      ${everyParameter(run)}${held(run)}
    </div>
  </section>`;
}

const copyId = (page: Page, id: string): TemplateResult =>
  html`<button class="b quiet icon tiny" type="button" aria-label="Copy the id" @click=${() => page.copy(id, 'The id')}>
    ${icon('copy')}
  </button>`;

function ends(run: Run, story: Story): TemplateResult {
  if (run.end !== null) return html`${time(run.end, true)}, after ${counter(run.end - run.start)}`;
  if (story.expectedEnd === null || run.deployment.status === 'queued') return html`<span class="mute">not yet</span>`;
  return html`<span class="mute">expected ≈ ${clock(story.expectedEnd)}</span>`;
}

function everyParameter(run: Run): TemplateResult {
  const all = parameters(run.deployment.parameters);
  const given = all.filter((one) => one.given).length;
  const look = (isGiven: boolean): string => (isGiven ? 'given' : '');
  return html`<details class="more">
    <summary>All ${all.length} parameters, ${given} not the default</summary>
    <dl class="facts">
      ${all.map(
        (one) =>
          html`<dt class=${look(one.given)}>${one.name}</dt>
            <dd class=${look(one.given)}>${one.value}</dd>`,
      )}
    </dl>
  </details>`;
}

/** What is kept from interfering. */
function held(run: Run): TemplateResult | typeof nothing {
  const what = run.events.find((event) => event.type === 'ProcessesHeld')?.message.replace('Held: ', '');
  if (!what) return nothing;
  const back = run.events.some((event) => event.type === 'ProcessesRestored');
  return note('', 'lock', html`<p>${back ? 'Back as it was' : 'Held until the end'}: ${what}</p>`);
}
