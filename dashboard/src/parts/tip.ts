/** `${tip({ head, facts })}` in a tag shows a table of facts beside it, on hover and on focus. */
import { noChange } from 'lit-html';
import { directive, Directive, type ElementPart } from 'lit-html/directive.js';

interface Tip {
  head: string;
  facts: readonly (readonly [string, string])[];
}

/** What is to be shown beside which element, by `tip-box.ts`. */
export const tips = new WeakMap<Element, Tip>();

class Tipped extends Directive {
  override render(_tip: Tip): unknown {
    return noChange;
  }

  override update(part: ElementPart, [shown]: [Tip]): unknown {
    tips.set(part.element, shown);
    part.element.toggleAttribute('data-tip', true);
    return noChange;
  }
}

export const tip = directive(Tipped);
