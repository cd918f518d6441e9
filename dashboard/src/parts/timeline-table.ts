/** The timeline for whoever reads tables. */
import { html, type TemplateResult } from 'lit-html';
import { KIND } from '../model/rows';
import type { Bar, Row, Story } from '../model/story';
import { counter } from '../model/words';
import { table } from './lists';
import { time } from './marks';

export function asTable(story: Story): TemplateResult {
  const line = (of: Row, bar: Bar, isFirst: boolean): TemplateResult =>
    html`<tr>
      <td>${isFirst ? `${of.number}${of.canary ? ' canary' : ''}${of.back ? ' back' : ''}` : ''}</td>
      <td>${isFirst ? `${of.blue} → ${of.green}` : ''}</td>
      <td>${KIND[bar.kind]}</td>
      <td>${time(bar.from, true)}</td>
      <td>${bar.live ? 'now' : time(bar.to, true)}</td>
      <td class="num">${counter(bar.to - bar.from)}</td>
    </tr>`;
  return html`<details class="alt">
    <summary>The same as a table</summary>
    ${table(
      'Batches as a table',
      '',
      html`<th>Batch</th>
        <th>VMs</th>
        <th>Step</th>
        <th>From</th>
        <th>To</th>
        <th class="num">Took</th>`,
      story.rows.flatMap((of) => of.bars.map((bar, i) => line(of, bar, i === 0))),
    )}
  </details>`;
}
