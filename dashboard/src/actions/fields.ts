/** The fields of the dialog. Each says what it does; one that is off says why. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { ImageVersion, Plan } from '../api/types';
import {
  batchSizes,
  CHECKS,
  checkRule,
  drainRule,
  holds,
  imageChoices,
  minHealthRule,
  notJudged,
  sizesInWords,
  type Body,
  type Known,
} from '../model/form';
import { label } from '../model/images';
import { vars } from '../parts/vars';
import type { Setter } from './deploy';

interface Form {
  known: Known;
  body: Body;
  set: Setter;
}

export function fields(
  known: Known,
  versions: readonly ImageVersion[],
  body: Body,
  plan: Plan | null,
  set: Setter,
): TemplateResult {
  const form = { known, body, set };
  return html`${image(form, versions)}${batches(form, plan)}
    ${number(
      form,
      'gracePeriod',
      'Grace period',
      { min: 120, max: 86400, unit: 'seconds' },
      'The longest a batch may take to become healthy; at least 120 s. It goes on at once when all are.',
    )}
    ${checks(form)}
    <details class="advanced" ?open=${isAdvanced(body)}>
      <summary>Advanced</summary>
      <div class="stack">
        ${draining(form)}${minHealth(form)}${canary(form)}
        ${choice(form, 'approvals', 'Ask for approval', [
          ['none', 'Never'],
          ['afterCanary', 'After the canary, else after the first batch'],
          ['everyBatch', 'After every batch'],
        ])}
        ${number(
          form,
          'bakeTime',
          'Bake',
          { min: 0, max: 86400, unit: 'seconds' },
          'All green VMs are watched so long before it is finished.',
        )}
        ${choice(form, 'onFailure', 'On failure', [
          ['discardGreen', 'Discard the batch’s green VMs'],
          ['keep', 'Keep them to be looked at'],
          ['rollBack', 'Roll all batches back'],
        ])}
        ${choice(form, 'onConflict', 'If another deployment has the set', [
          ['reject', 'Refuse'],
          ['queue', 'Wait in the queue'],
          ['supersede', 'Stop it and take over'],
        ])}
      </div>
    </details>
    <div class="f">
      <label for="f-comment">Comment</label>
      <input
        id="f-comment"
        maxlength="256"
        autocomplete="off"
        .value=${String(holds('comment', body, known) ?? '')}
        @change=${(event: Event) => set('comment', valueOf(event) || undefined)}
      />
    </div>`;
}

const valueOf = (event: Event): string => (event.target as HTMLInputElement).value;
const checkedOf = (event: Event): boolean => (event.target as HTMLInputElement).checked;

const isAdvanced = (body: Body): boolean =>
  Boolean(body.canary ?? body.minHealth ?? body.approvals ?? body.onFailure ?? body.onConflict ?? body.drainingTimeout);

function image({ known, body, set }: Form, versions: readonly ImageVersion[]): TemplateResult {
  const { group, retried } = known;
  if (retried)
    return html`<div class="f">
      <span class="l">Image</span>
      <p>${label(retried.image.pinned ?? retried.image.requested)}</p>
      <p class="h">The same again. VMs that run it and were healthy stay.</p>
    </div>`;
  const choices = imageChoices(versions, group);
  const chosen = body.image ?? '';
  // An image by its id is shown by its version, where the group's image has that one.
  const current =
    choices.find((one) => one.value === chosen || (chosen.includes('/') && one.value === label(chosen)))?.value ??
    chosen;
  const isListed = current === '' || choices.some((one) => one.value === current);
  return html`<div class="f">
    <label for="f-image">Image</label>
    <select id="f-image" autofocus @change=${(event: Event) => set('image', valueOf(event) || undefined)}>
      ${isListed ? nothing : html`<option value=${current} selected>${label(current)}</option>`}
      ${choices.map(
        (one) =>
          html`<option value=${one.value} ?disabled=${one.refused !== ''} ?selected=${one.value === current}>
            ${one.words}
          </option>`,
      )}
      <option value="" ?selected=${current === ''}>
        The set’s own, ${group.state?.image ?? 'whatever it is'}: only VMs of an older model
      </option>
    </select>
    <p class="h">
      ${choices.length ? 'Newest first.' : 'The group names no gallery image: only the set’s own can be chosen here.'}
    </p>
  </div>`;
}

function batches({ known, body, set }: Form, plan: Plan | null): TemplateResult {
  const inVms = Boolean(holds('batchSize', body, known));
  const share = holds('batchSizePercentage', body, known) ?? 20;
  const size = holds('batchSize', body, known) ?? 1;
  const vms = known.group.state?.capacity ?? plan?.targetSize ?? 0;
  const sizes = batchSizes(vms, body, known);
  const canary = Boolean(holds('canary', body, known)) && sizes.length > 1;
  const unit = (event: Event): void => {
    if (valueOf(event) === 'vms') {
      set('batchSizePercentage', undefined);
      set('batchSize', Math.max(1, Math.ceil((vms * share) / 100)));
    } else {
      set('batchSize', undefined);
      set('batchSizePercentage', share);
    }
  };
  const slider = html`<input
      type="range"
      id="f-batch"
      min="1"
      max="100"
      aria-describedby="f-batch-h"
      .value=${String(share)}
      @input=${(event: Event) => set('batchSizePercentage', Number(valueOf(event)))}
    /><output for="f-batch" class="nowrap">${share} %</output>`;
  const count = html`<input
    type="number"
    id="f-batch"
    min="1"
    max="1000"
    aria-describedby="f-batch-h"
    .value=${String(size)}
    @input=${(event: Event) => set('batchSize', Number(valueOf(event)) || 1)}
  />`;
  return html`<div class="f">
    <div class="row between">
      <label for="f-batch">Batch size</label>
      <select class="narrow" aria-label="Unit of the batch size" @change=${unit}>
        <option value="share" ?selected=${!inVms}>% of the VMs</option>
        <option value="vms" ?selected=${inVms}>VMs at most</option>
      </select>
    </div>
    <div class="row">${inVms ? count : slider}</div>
    ${sizes.length <= 60
      ? html`<div class="drawbatches" aria-hidden="true">
          ${sizes.map(
            (n, i) =>
              html`<span class=${canary && i === 0 ? 'canary' : ''} ${vars({ w: n })}
                >${sizes.length <= 20 ? n : nothing}</span
              >`,
          )}
        </div>`
      : nothing}
    <p class="h" id="f-batch-h">${vms ? sizesInWords(sizes, canary) : 'The size of the set is not known yet.'}</p>
  </div>`;
}

interface Range {
  min: number;
  max: number;
  unit: string;
}

type Numbers = 'gracePeriod' | 'drainingTimeout' | 'bakeTime' | 'minHealth';

function number(
  { known, body, set }: Form,
  name: Numbers,
  word: string,
  { min, max, unit }: Range,
  help: string,
  why = '',
): TemplateResult {
  const value = holds(name, body, known);
  const id = `f-${name}`;
  const change = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    set(name, input.value === '' ? undefined : Number(input.value));
  };
  return html`<div class="f">
    <label for=${id}>${word}</label>
    <div class="unit">
      <input
        id=${id}
        type="number"
        min=${min}
        max=${max}
        step="1"
        placeholder="not given"
        ?disabled=${why !== ''}
        aria-describedby="${id}-h"
        .value=${value === null || value === undefined ? '' : String(value)}
        @input=${change}
      /><span>${unit}</span>
    </div>
    <p class="h" id="${id}-h">${why || help}</p>
  </div>`;
}

function checks({ known, body, set }: Form): TemplateResult {
  const { group } = known;
  const chosen = holds('healthCheckTypes', body, known) ?? group.healthCheckTypes;
  const toggle = (type: (typeof CHECKS)[number], on: boolean): void =>
    set(
      'healthCheckTypes',
      CHECKS.filter((one) => (one === type ? on : chosen.includes(one))),
    );
  return html`<fieldset class="f">
    <legend class="l">Health check types</legend>
    <div class="checks">
      ${CHECKS.map((type) => {
        const { off, why } = checkRule(type, group);
        return html`<label class=${off ? 'off' : ''}
          ><input
            type="checkbox"
            name=${type}
            ?disabled=${off}
            .checked=${type === 'vmState' || chosen.includes(type)}
            @change=${(event: Event) => toggle(type, checkedOf(event))}
          />${type} <span class="mute">${why}</span></label
        >`;
      })}
    </div>
    ${notJudged(group, chosen)
      ? html`<p class="h"><b>Not judged: each batch waits its whole grace period.</b></p>`
      : nothing}
  </fieldset>`;
}

function draining(form: Form): TemplateResult {
  const { why } = drainRule(form.known.group);
  const help = 'What connections get to finish, once their VM is out of traffic.';
  return number(form, 'drainingTimeout', 'Draining timeout', { min: 0, max: 86400, unit: 'seconds' }, help, why);
}

function minHealth(form: Form): TemplateResult {
  const { group } = form.known;
  const chosen = holds('healthCheckTypes', form.body, form.known) ?? group.healthCheckTypes;
  const { why } = minHealthRule(group, chosen);
  const least = holds('batchMinHealthyPercentage', form.body, form.known) ?? 50;
  const help = `A batch fails when this share of it is unhealthy. Left empty: at least ${least} % must be healthy.`;
  return number(form, 'minHealth', 'Min. Health', { min: 1, max: 100, unit: '% unhealthy' }, help, why);
}

function canary({ known, body, set }: Form): TemplateResult {
  const of = holds('canary', body, known);
  const asks = Boolean(of?.approval);
  const put = (size: number, approval: boolean): void => set('canary', { size, approval, bakeTime: of?.bakeTime ?? 0 });
  return html`<div class="f">
    <div class="checks">
      <label
        ><input
          type="checkbox"
          name="canary"
          .checked=${Boolean(of)}
          @change=${(event: Event) => (checkedOf(event) ? put(1, true) : set('canary', undefined))}
        />A canary first</label
      >
      ${of
        ? html`<label
              ><input
                type="checkbox"
                name="canaryApproval"
                .checked=${asks}
                @change=${(event: Event) => put(of.size, checkedOf(event))}
              />then ask for approval</label
            >
            <label class="row"
              >of
              <input
                class="narrow"
                type="number"
                min="1"
                max="1000"
                aria-label="VMs of the canary"
                .value=${String(of.size)}
                @input=${(event: Event) => put(Number(valueOf(event)) || 1, asks)}
              />
              VMs</label
            >`
        : nothing}
    </div>
  </div>`;
}

type Words = 'approvals' | 'onFailure' | 'onConflict';

function choice(
  { known, body, set }: Form,
  name: Words,
  word: string,
  options: readonly (readonly [string, string])[],
): TemplateResult {
  const value = holds(name, body, known);
  const listed = Array.isArray(value)
    ? [[value.join(','), `After batches ${value.join(', ')}`] as const, ...options]
    : options;
  const current = String(value);
  return html`<div class="f">
    <label for="f-${name}">${word}</label>
    <select id="f-${name}" @change=${(event: Event) => set(name, valueOf(event) as never)}>
      ${listed.map(([one, words]) => html`<option value=${one} ?selected=${one === current}>${words}</option>`)}
    </select>
  </div>`;
}
