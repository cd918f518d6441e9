/** VMs by batch: those that leave, and those that arrive in their place. */
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { phase } from '../model/rows';
import type { Placed, Run } from '../model/run';
import { vmShown } from '../model/status';
import type { Row, Story } from '../model/story';
import { counted } from '../model/words';
import { link } from '../router';
import { glyph, icon, version } from './marks';
import { vars } from './vars';

/** Above this a lane is one drawing with a path per status: 900 VMs cost about 900 points, and few elements. */
export const TILES_MAX = 40;

export function lanes(run: Run, story: Story): TemplateResult {
  const many = run.size > TILES_MAX;
  const wide = Math.max(0, ...run.vms.map((vm) => vm.name.length)) > 9;
  const rows = story.rows.filter((row) => row.back || row.bars.length > 0 || !story.rollBack);
  const byBatch = grouped(run.vms);
  return html`<section class="card" aria-labelledby="h-vms" ${vars({ tile: wide ? '196px' : '146px' })}>
    <header>
      <h2 id="h-vms">VMs by batch</h2>
      <div class="legend">
        <span>${glyph('blue')}blue, ${version(run.from)}</span><span>${glyph('green')}green, ${version(run.to)}</span>
        ${many ? marks() : nothing}
      </div>
      ${many
        ? html`<span class="grow"></span><a class="s" href=${link.deployment(run.deployment.id, 'vms')}>As a table</a>`
        : nothing}
    </header>
    <div class="body lanes">
      <div class="lane-h"><span></span><span>leaving</span><span></span><span>arriving</span></div>
      ${rows.map((row) => keyed(row.number, lane(run, row, byBatch.get(row.number) ?? [], many)))}
      ${others(run, (byBatch.get(0) ?? []).filter((vm) => vm.side === 'others'), many)}
    </div>
  </section>`;
}

function grouped(vms: readonly Placed[]): Map<number, Placed[]> {
  const found = new Map<number, Placed[]>();
  for (const vm of vms) {
    const known = found.get(vm.batch);
    if (known) known.push(vm);
    else found.set(vm.batch, [vm]);
  }
  return found;
}

/** VMs that others made meanwhile, and that are none of this deployment's. */
function others(run: Run, vms: readonly Placed[], many: boolean): TemplateResult | typeof nothing {
  if (vms.length === 0) return nothing;
  return html`<div class="lane">
    <div class="lab">Made by others</div>
    <div class=${many ? '' : 'tiles'}>${draw(run, vms, many)}</div>
  </div>`;
}

const draw = (run: Run, vms: readonly Placed[], many: boolean): unknown =>
  many ? dots(vms) : vms.map((vm) => keyed(vm.vmId, tile(run.deployment.id, vm)));

function lane(run: Run, row: Row, vms: readonly Placed[], many: boolean): TemplateResult {
  const [goes, comes] = [vms.filter((vm) => !vm.comes), vms.filter((vm) => vm.comes)];
  const healthy = comes.filter((vm) => vm.status === 'healthy').length;
  const state =
    many && row.live?.kind === 'health' ? `${healthy} of ${row.green} healthy` : phase(row, run.end !== null);
  const empty = run.end !== null ? 'none' : row.green ? `${counted(row.green, 'VM')} to come` : 'none needed';
  return html`<div class="lane ${row.live ? 'cur' : ''}">
    <div class="lab">
      ${row.back ? icon('undo') : nothing} Batch <b>${row.number}</b
      ><small>${row.canary ? 'canary, ' : ''}${state}</small>
    </div>
    <div class=${many ? '' : 'tiles'}>${draw(run, goes, many)}</div>
    <div class="to" aria-hidden="true">→</div>
    <div class=${many ? '' : 'tiles'}>
      ${comes.length ? draw(run, comes, many) : html`<span class="mute small none">${empty}</span>`}
    </div>
  </div>`;
}

function tile(id: string, vm: Placed): TemplateResult {
  const { word, icon: sign } = vmShown(vm);
  const zone = vm.zone ? `, zone ${vm.zone}` : '';
  const words = `${vm.name}${zone}: ${word}${vm.reason && vm.reason !== word ? `, ${vm.reason}` : ''}`;
  return html`<a class="vm ${tileLook(vm)}" href=${link.vm(id, vm.vmId)} title=${words}
    >${glyph(vm.side)}<span class="nm">${vm.name}</span
    ><span class="ws"><span>${word.replace(', deleted', '').replace('Goes in', 'To')}</span>${icon(sign)}</span></a
  >`;
}

function tileLook(vm: Placed): string {
  const look: string[] = [vm.side];
  if (vm.status === 'unhealthy') look.push('sick');
  if (vm.gone) look.push('gone');
  else if (vm.status === 'detached') look.push('leaving');
  else if (vm.status === 'pending' || (vm.comes && vm.status === 'running')) look.push('judged');
  return look.join(' ');
}

const PITCH = 12;

/** Circles and squares, thirty in a row: one path for each look. */
function dots(vms: readonly Placed[]): TemplateResult | typeof nothing {
  if (vms.length === 0) return nothing;
  const columns = Math.min(vms.length, window.innerWidth < 640 ? 15 : 30);
  const rows = Math.ceil(vms.length / columns);
  const paths = new Map<string, string>();
  const add = (look: string, path: string): void => void paths.set(look, (paths.get(look) ?? '') + path);
  vms.forEach((vm, i) => {
    const [x, y] = [(i % columns) * PITCH, Math.floor(i / columns) * PITCH];
    const circle = `M${x + 1} ${y + 5}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z`;
    add(dotLook(vm), vm.side === 'blue' ? circle : `M${x + 1} ${y + 1}h8v8h-8z`);
    if (dotLook(vm) === 'sick') add('sickx', `M${x + 3} ${y + 3}l4 4m0 -4l-4 4`);
  });
  const drawn = [...paths].sort(([one], [other]) => Number(one === 'sickx') - Number(other === 'sickx'));
  const [width, height] = [columns * PITCH - 2, rows * PITCH - 2];
  return html`<svg
    class="dots"
    viewBox="0 0 ${width} ${height}"
    role="img"
    aria-label=${spoken(vms)}
    ${vars({ w: `${width * 1.15}px` })}
  >
    ${drawn.map(([look, path]) => svg`<path class=${look} d=${path}></path>`)}
  </svg>`;
}

function dotLook(vm: Placed): string {
  if (vm.status === 'unhealthy' && !vm.gone) return 'sick';
  if (vm.gone) return 'gone';
  if (vm.status === 'detached') return 'leaving';
  if (vm.comes && vm.status !== 'healthy') return 'judged';
  return vm.side;
}

function spoken(vms: readonly Placed[]): string {
  const words = new Map<string, number>();
  for (const vm of vms) words.set(vmShown(vm).word, (words.get(vmShown(vm).word) ?? 0) + 1);
  const parts = [...words].map(([word, count]) => `${count} ${word.toLowerCase()}`);
  return `${counted(vms.length, 'VM')}: ${parts.join(', ')}`;
}

function marks(): TemplateResult {
  const mark = (look: string, path: string, word: string): TemplateResult =>
    html`<span
      ><svg width="12" height="12" class="dots mark-k" aria-hidden="true">
        ${svg`<path class=${look} d=${path}></path>`}</svg
      >${word}</span
    >`;
  return html`${mark('judged', 'M2 2h8v8h-8z', 'not judged')}${mark('sick', 'M1 1h10v10h-10z', 'unhealthy')}${mark(
    'gone',
    'M2 6a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z',
    'deleted',
  )}`;
}
