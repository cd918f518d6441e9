/** What the dry run says: the plan as a drawing, its figures, and its findings with what to do. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { ApiError } from '../api/client';
import type { Finding, Plan } from '../api/types';
import { holds, type Body, type Known } from '../model/form';
import { draw, fixOf, planWords, replaced } from '../model/plan';
import { about, counted } from '../model/words';
import { icon, note, told } from '../parts/marks';
import { timeline } from '../parts/timeline';
import type { Setter } from './fields';

export function planView(
  plan: Plan | null,
  problem: Error | null,
  body: Body,
  known: Known | null,
  set: Setter,
): TemplateResult {
  if (problem) return failed(problem);
  if (!plan || !known)
    return html`<h2>What will happen</h2>
      <p class="mute">Asking what would happen…</p>`;
  const grace = holds('gracePeriod', body, known) ?? 600;
  const { run, story } = draw(plan, holds('drainingTimeout', body, known) ?? 120);
  return html`<div class="bs between">
      <h2>What will happen</h2>
      <span class="small mute">${icon('check')} a dry run, nothing changed yet</span>
    </div>
    <p>${planWords(plan, body, grace).join(' ')}</p>
    ${figures(plan)}
    ${story.rows.length ? html`<div class="card">${timeline(run, story, { relative: true })}</div>` : nothing}
    <div class="stack findings">${plan.findings.map((one) => finding(one, body, set))}</div>`;
}

function failed(problem: Error): TemplateResult {
  const details = problem instanceof ApiError ? problem.details : [];
  return html`<h2>What will happen</h2>
    ${note('bad', 'cross', html`<p><b>There is no plan.</b> ${problem.message}.</p>`)}
    ${details.slice(1).map((one) => note('bad', 'cross', html`<p>${one.message}</p>`))}`;
}

function figures(plan: Plan): TemplateResult {
  const figure = (big: string, small: string, all = ''): TemplateResult =>
    html`<div title=${all || nothing}><b>${big}</b><span>${small}</span></div>`;
  const cores = plan.surge?.cores ? `, +${plan.surge.cores} cores` : '';
  const basis = plan.duration?.basis ?? '';
  const short = basis.split(/[:;]/)[0] ?? '';
  return html`<div class="figs">
    ${figure(plan.duration ? `≈ ${about(plan.duration.seconds)}` : '–', short, basis)}
    ${figure(`${plan.servingFloor ?? '–'}`, 'serving floor: no fewer at any time')}
    ${figure(plan.surge ? `+${counted(plan.surge.vms, 'VM')}` : '–', `surge at most${cores}`)}
    ${figure(
      `${replaced(plan)}`,
      `VMs replaced, ${plan.kept.length || 'none'} kept, ${plan.skipped.length || 'none'} skipped`,
    )}
  </div>`;
}

const LOOKS = { error: ['bad', 'cross'], warning: ['warn', 'warning'], info: ['', 'info'] } as const;

function finding(one: Finding, body: Body, set: Setter): TemplateResult {
  const [tone, sign] = LOOKS[one.severity as keyof typeof LOOKS] ?? LOOKS.info;
  const can = fixOf(one, body);
  const fix = can && html`<button class="b small" type="button" @click=${() => set(can.change)}>${can.words}</button>`;
  return told(tone, sign, one, one.severity === 'error' ? html`<b>Refused:</b> ` : nothing, fix ?? nothing);
}
