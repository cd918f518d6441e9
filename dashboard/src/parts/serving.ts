/** How many VMs serve, over time: green rises from the bottom, blue lies on it, and the floor is a dashed line. */
import { html, nothing, svg, type TemplateResult } from 'lit-html';
import { area, corners, labels, line, type Scale } from '../model/geometry';
import type { Run } from '../model/run';
import type { Step, Story } from '../model/story';
import { glyph, version } from './marks';
import type { TimelineOptions } from './timeline';
import { vars } from './vars';

const all = (step: Step): number => step.blue + step.green;
const green = (step: Step): number => step.green;

export function counts(run: Run, story: Story, by: Scale, { relative }: TimelineOptions): TemplateResult {
  const top = highest(run, story) * 1.08;
  const y = (count: number): number => +(count / top).toFixed(4);
  const now = story.steps.at(-1) ?? { at: run.now, blue: 0, green: 0 };
  const live = run.end === null && !relative;
  const floor = run.floor === null ? '' : `; never fewer than ${run.floor}`;
  const words = relative
    ? `VMs that will serve: ${run.size}${floor}`
    : `VMs that serve: ${now.green} green and ${now.blue} blue now${floor}`;
  const at = labels(now.green, now.blue, run.size);
  return html`<div class="tl-chart" role="img" aria-label=${words}>
    <div class="ylab">
      <b>Serving</b><span ${vars({ y: 0 })}>0</span><span ${vars({ y: y(run.size) })}>${run.size}</span>
    </div>
    <div class="area">
      ${drawing(story, by, top)} ${live ? html`<div class="a-fog" ${vars({ x: by.x(run.now) })}></div>` : nothing}
      ${lines(story, by, top, run.end === null)} ${run.floor === null ? nothing : floorLine(run.floor, y(run.floor))}
    </div>
    ${relative
      ? html`<div></div>`
      : html`<div class="tl-key" aria-hidden="true">
          <span ${vars({ y: y(at.blue) })}>${glyph('blue')}<b>${now.blue}</b> blue, ${version(run.from)}</span>
          <span ${vars({ y: y(at.green) })}>${glyph('green')}<b>${now.green}</b> green, ${version(run.to)}</span>
        </div>`}
  </div>`;
}

function highest(run: Run, story: Story): number {
  const most = Math.max(...story.steps.map(all), ...story.ahead.map(all));
  return Math.max(1, most, run.size + Math.max(0, ...story.rows.map((row) => row.green)));
}

function drawing(story: Story, by: Scale, top: number): TemplateResult {
  const steps = [...story.steps, ...story.ahead];
  const [upper, middle] = [corners(steps, by, all), corners(steps, by, green)];
  const base = middle.map(([x]) => [x, 0] as const);
  return html`<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
    ${svg`<path class="a-green" d=${area(middle, base, top)}></path>`}
    ${svg`<path class="a-blue" d=${area(upper, middle, top)}></path>`}
  </svg>`;
}

function lines(story: Story, by: Scale, top: number, goesOn: boolean): TemplateResult {
  const path = (look: string, steps: readonly Step[], count: (step: Step) => number): unknown =>
    svg`<path class=${look} d=${line(corners(steps, by, count), top)}></path>`;
  return html`<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
    ${path('l-blue', story.steps, all)}${path('l-green', story.steps, green)}
    ${goesOn ? path('l-blue l-plan', story.ahead, all) : nothing}
    ${goesOn ? path('l-green l-plan', story.ahead, green) : nothing}
  </svg>`;
}

const floorLine = (floor: number, y: number): TemplateResult =>
  html`<div class="floor" ${vars({ y })}>
    <span><span class="long">never fewer than ${floor} serve</span><span class="short">floor ${floor}</span></span>
  </div>`;
