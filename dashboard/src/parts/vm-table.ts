/** The VMs as a table, trouble first: at most two hundred rows are in the document. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { rank } from '../model/health';
import { inZone, type Placed, type Run } from '../model/run';
import { vmShown } from '../model/status';
import type { Page } from '../page';
import { link } from '../router';
import { after, chips, find, sought, table, type Chip } from './lists';
import { glyph, icon, reading, time, vmStatus, type Content } from './marks';

export const ROWS_MAX = 200;

type Filter = readonly [value: string, word: string, sign: Content, matches: (vm: Placed) => boolean];

const FILTERS: readonly Filter[] = [
  ['', 'All', nothing, () => true],
  ['unhealthy', 'Unhealthy', icon('cross'), (vm) => vm.status === 'unhealthy'],
  ['blue', 'Blue', glyph('blue'), (vm) => vm.side === 'blue'],
  ['green', 'Green', glyph('green'), (vm) => vm.side === 'green'],
  ['deleted', 'Deleted', icon('dash'), (vm) => vm.gone],
];

export function vmTable(page: Page, run: Run, query: URLSearchParams, selected: string): TemplateResult {
  const matches = FILTERS.find(([value]) => value === query.get('show'))?.[3] ?? (() => true);
  const found = run.vms
    .filter((vm) => matches(vm) && `${vm.name} ${vm.vmId}`.toLowerCase().includes(sought(query)))
    .sort((one, other) => rank(one) - rank(other) || one.batch - other.batch || one.name.localeCompare(other.name));
  const rows = found.slice(0, ROWS_MAX);
  const sources = sourcesOf(run);
  const all = FILTERS.map(
    ([value, word, sign, matches]): Chip => ({ value, word, sign, count: run.vms.filter(matches).length }),
  );
  return html`<section class="card" aria-label="VMs">
    <div class="filters">${chips(page, query, 'show', 'Filter', all)}${find(page, query, 'VM', 'Name or id')}</div>
    ${table(
      'VMs as a table',
      'cards vms',
      html`<th>VM</th>
        <th>Status</th>
        ${sources.map((source) => html`<th>${source}</th>`)}
        <th>Reason</th>
        <th class="num">Batch</th>
        <th class="num">Since</th>`,
      rows.map((vm) => keyed(`${vm.vmId} ${vm.batch} ${vm.color}`, line(run, vm, sources, selected, query))),
    )}
    ${found.length > rows.length
      ? after(`The first ${rows.length} of ${found.length}, trouble first. Filter or search for others.`)
      : nothing}
    ${found.length ? nothing : after('No VM matches.')}
  </section>`;
}

/** Every source that judged any of them, the asked ones first. */
function sourcesOf(run: Run): string[] {
  const seen = new Set<string>(run.deployment.healthCheckTypes);
  for (const vm of run.vms) for (const one of vm.readings) seen.add(one.source);
  return [...seen];
}

function line(
  run: Run,
  vm: Placed,
  sources: readonly string[],
  selected: string,
  query: URLSearchParams,
): TemplateResult {
  const asked = query.size ? `?${query}` : '';
  return html`<tr class="row" aria-selected=${vm.vmId === selected ? 'true' : nothing}>
    <td>
      <span class="side"
        >${glyph(vm.side)}<a class="nm" href=${link.vm(run.deployment.id, vm.vmId) + asked}>${vm.name}</a
        ><span class="mute small">${inZone(vm.side, vm)}</span></span
      >
    </td>
    <td>${vmStatus(vm)}</td>
    ${sources.map((source) => html`<td>${said(vm, source)}</td>`)}
    <td class="soft note-c">${noteOf(vm)}</td>
    <td class="num soft">${vm.batch || '–'}</td>
    <td class="nowrap mute num">${time(vm.at, true)}</td>
  </tr>`;
}

function said(vm: Placed, source: string): TemplateResult {
  const of = vm.readings.find((one) => one.source === source);
  if (!of) return html`<span class="mute">–</span>`;
  return reading(of, html`<span class="sr">${source} </span>`, vm.status === 'running');
}

function noteOf(vm: Placed): string {
  // What is well needs no reason, and what is gone has said it.
  const reason = vm.status === 'healthy' || vm.gone || vm.reason === vmShown(vm).word ? '' : vm.reason;
  const notes = [reason, vm.evidence ? 'evidence is kept' : '', vm.replaced ? 'replaced once' : ''];
  return notes.filter(Boolean).join(', ');
}
