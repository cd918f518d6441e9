/** One VM, and what was found out about it where it was sick. It loads its own evidence. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { ApiError, ask } from '../api/client';
import type { Evidence } from '../api/types';
import { instanceLines } from '../model/instance-view';
import type { Placed } from '../model/run';
import { plain, seconds } from '../model/words';
import type { Page } from '../page';
import { button } from './commands';
import { glyph, icon, note, time, vmStatus } from './marks';
import { View } from './view';

/** More of a log is only downloaded. */
const LOG_SHOWN_MAX = 64 * 1024;

class VmDrawer extends View {
  deployment = '';
  page!: Page;
  back = '';
  #shown!: Placed;
  #evidence: Evidence | null = null;
  #problem = '';
  #loaded = '';

  /** The VM as it is now: it may be another one, or the same as it has become. */
  set vm(vm: Placed) {
    this.#shown = vm;
    void this.update();
  }

  override update(): Promise<void> {
    const wanted = this.#shown.evidence && this.deployment ? `${this.deployment}/vms/${this.#shown.vmId}` : '';
    if (wanted !== this.#loaded) {
      this.#loaded = wanted;
      this.#evidence = null;
      this.#problem = '';
      if (wanted) void this.#load(wanted);
    }
    return super.update();
  }

  async #load(wanted: string): Promise<void> {
    try {
      const evidence = await ask<Evidence>(`deployments/${wanted}/evidence`);
      if (this.#loaded === wanted) this.#evidence = evidence;
    } catch (error) {
      const forbidden = error instanceof ApiError && error.status === 403;
      this.#problem = forbidden ? `${error.message}.` : `The evidence cannot be read: ${(error as Error).message}.`;
    }
    void this.update();
  }

  protected override render(): TemplateResult {
    const vm = this.#shown;
    const zone = vm.zone ? `, zone ${vm.zone}` : '';
    return html`<aside class="card drawer" aria-labelledby="h-evi">
      <header>
        <span class="side"
          >${glyph(vm.side)}
          <h2 id="h-evi">${vm.name}</h2></span
        >
        <span class="mute s">${vm.side === 'others' ? 'made by others' : `batch ${vm.batch}`}${zone}</span><span class="grow"></span>
        <a class="b quiet icon" href=${this.back} aria-label="Close">${icon('x')}</a>
      </header>
      <section>
        ${vmStatus(vm)}
        <p class="s soft">${vm.reason}</p>
        <p class="small mute">since ${time(vm.at, true)}; id <code>${vm.vmId}</code></p>
      </section>
      ${this.#readings()}
      ${this.#problem ? html`<section>${note('warn', 'lock', html`<p>${this.#problem}</p>`)}</section>` : nothing}
      ${this.#evidence
        ? this.#found(this.#evidence)
        : vm.evidence && !this.#problem
          ? html`<section class="mute s">Loading the evidence…</section>`
          : nothing}
    </aside>`;
  }

  #readings(): TemplateResult | typeof nothing {
    if (this.#shown.readings.length === 0) return nothing;
    return html`<section>
      <h3>Readings</h3>
      <dl class="facts">
        ${this.#shown.readings.map((one) => {
          const good = one.health === 'healthy';
          return html`<dt>${one.source}</dt>
            <dd>
              <span class="st ${good ? '' : 'bad'}">${icon(good ? 'check' : 'cross')}${one.detail || one.health}</span>
              <span class="mute">since ${time(seconds(one.at), true)}</span>
            </dd>`;
        })}
      </dl>
    </section>`;
  }

  #found(of: Evidence): TemplateResult {
    const save = (name: string, text: string, type: string): void =>
      this.page.save(`${this.#shown.name}-${name}`, text, type);
    const json = JSON.stringify(of, null, 2);
    return html`${of.serialLog === null ? nothing : this.#log(of.serialLog)}${instanceView(of)}
      ${of.notes.length
        ? html`<section>
            <h3>Missing</h3>
            ${of.notes.map((one) => html`<p class="s soft">${one}</p>`)}
          </section>`
        : nothing}
      <section class="bs">
        ${button('small', 'copy', 'Copy link', '', () => this.page.copy(location.href, 'The link'))}
        ${button('small', 'down', 'JSON', '', () => save('evidence.json', json, 'application/json'))}
        <span class="mute small">taken at ${time(seconds(of.takenAt), true)}</span>
      </section>`;
  }

  /** What a VM wrote is hostile: it is text and no more, its control characters shown by their codes. */
  #log(text: string): TemplateResult {
    const shown = plain(text.slice(-LOG_SHOWN_MAX));
    const cut =
      text.length > LOG_SHOWN_MAX ? `the last 64 kB of ${Math.round(text.length / 1024)}` : 'as the VM wrote it';
    return html`<section>
      <div class="bs between">
        <h3>Serial log <span class="mute small">${cut}</span></h3>
        <span class="bs">
          ${button('quiet small', 'copy', 'Copy', '', () => this.page.copy(shown, 'The log'))}
          ${button('quiet small', 'down', 'Save', '', () =>
            this.page.save(`${this.#shown.name}-serial.log`, text, 'text/plain'),
          )}
        </span>
      </div>
      <pre tabindex="0" role="region" aria-label="Serial log">${shown}</pre>
    </section>`;
  }
}

/** Azure's own words about the VM, one line each. */
function instanceView(of: Evidence): TemplateResult | typeof nothing {
  const rows = instanceLines(of.instanceView ?? {}).slice(0, 40);
  if (rows.length === 0) return nothing;
  return html`<section>
    <h3>Instance view</h3>
    <dl class="facts">
      ${rows.map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd>${plain(value)}</dd>`,
      )}
    </dl>
  </section>`;
}

customElements.define('teal-vm', VmDrawer);
