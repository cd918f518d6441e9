/** One deployment: overview, VMs, events. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Run } from '../model/run';
import type { Story } from '../model/story';
import { ended } from '../model/status';
import type { Page } from '../page';
import { link, type Route, type Tab } from '../router';
import { allEvents } from '../parts/all-events';
import { banner, dangers } from '../parts/banner';
import { latest } from '../parts/events';
import { facts } from '../parts/facts';
import { failure } from '../parts/failure';
import { hero } from '../parts/hero';
import { lanes } from '../parts/lanes';
import { legend, timeline } from '../parts/timeline';
import { asTable } from '../parts/timeline-table';
import { vmTable } from '../parts/vm-table';
import { queued } from './queued';

type DetailsRoute = Extract<Route, { view: 'details' }>;

export function details(page: Page, run: Run, story: Story, at: DetailsRoute): TemplateResult {
  const { deployment } = run;
  const bad = ended(deployment.status) && deployment.status !== 'finished';
  const known = { run, story };
  const waits = deployment.status === 'queued';
  const head = waits ? queued(page, run) : bad ? failure(page, known) : hero(page, known);
  const live = !ended(deployment.status) && !waits;
  return html`${live ? html`<div id="stick">${banner(page, deployment, true)}</div>` : nothing}${crumbs(run)}${dangers(
    bad ? [] : deployment.dangers,
  )}${head}${tabs(run, at.tab)}${tab(page, run, story, at)}`;
}

function crumbs(run: Run): TemplateResult {
  const { id, groupId } = run.deployment;
  const slash = html`<span aria-hidden="true">/</span>`;
  return html`<nav class="crumbs" aria-label="Where you are">
    <a href=${link.deployments()}>Deployments</a>${slash}
    <a href=${link.deployments({ group: groupId })}>${groupId}</a>${slash}<span><code>${id}</code></span>
  </nav>`;
}

function tabs(run: Run, current: Tab): TemplateResult {
  const one = (tab: Tab, word: string, count?: number): TemplateResult =>
    html`<a href=${link.deployment(run.deployment.id, tab)} aria-current=${current === tab ? 'page' : nothing}
      >${word}${count === undefined ? nothing : html`<span class="n">${count}</span>`}</a
    >`;
  return html`<nav class="tabs" aria-label="Details">
    ${one('overview', 'Overview')}${one('vms', 'VMs', run.vms.length)}${one('events', 'Events', run.events.length)}
  </nav>`;
}

function tab(page: Page, run: Run, story: Story, at: DetailsRoute): TemplateResult {
  if (at.tab === 'vms') return vms(page, run, at);
  if (at.tab === 'events') {
    const first = at.query.get('from');
    const show = (from: number): void => page.replace(`${link.deployment(run.deployment.id, 'events')}?from=${from}`);
    return allEvents(run, story, first === null ? null : Number(first), show);
  }
  return overview(page, run, story);
}

function overview(page: Page, run: Run, story: Story): TemplateResult {
  const planned = story.rows.length > 0;
  return html`<div class="cols three-up">
    <div class="stack">
      ${planned
        ? html`<section class="card" aria-labelledby="h-tl">
              <header>
                <h2 id="h-tl">Timeline</h2>
                ${legend(run, story)}
              </header>
              ${timeline(run, story, { lost: page.lost })}${asTable(story)}
            </section>
            ${lanes(run, story)}`
        : html`<section class="card">
            <header><h2>Timeline</h2></header>
            <p class="body soft s">Nothing is planned yet: batches show once it has looked at the scale set.</p>
          </section>`}
    </div>
    <div class="stack side2">${facts(page, run, story)}${latest(run)}</div>
  </div>`;
}

function vms(page: Page, run: Run, at: DetailsRoute): TemplateResult {
  const chosen = at.vm
    ? run.vms
        .filter((vm) => vm.vmId === at.vm)
        .sort((one, other) => Number(other.evidence) - Number(one.evidence) || other.batch - one.batch)[0]
    : undefined;
  const back = `${link.deployment(run.deployment.id, 'vms')}${at.query.size ? `?${at.query}` : ''}`;
  return html`<div class=${chosen ? 'cols vmcols' : 'stack'}>
    ${vmTable(page, run, at.query, at.vm)}
    ${chosen
      ? html`<teal-vm .vm=${chosen} .page=${page} .deployment=${run.deployment.id} .back=${back}></teal-vm>`
      : nothing}
  </div>`;
}

export const loading = (): TemplateResult => html`<p class="mute loading" role="status">Loading…</p>`;

/** Where an address leads to no deployment. */
export function noDeployment(id: string): TemplateResult {
  return html`<section class="card empty-1">
    <h1>There is no deployment ${id}</h1>
    <p class="soft">Deployments are kept for a time only; or the address is not whole.</p>
    <a class="b" href=${link.deployments()}>All deployments</a>
  </section>`;
}
