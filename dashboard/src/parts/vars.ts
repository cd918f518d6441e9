/** `${vars({ x: 0.5 })}` in a tag sets `--x` there: the policy of the page lets in no `style` attribute. */
import { noChange } from 'lit-html';
import { directive, Directive, PartType, type ElementPart, type PartInfo } from 'lit-html/directive.js';

type Values = Readonly<Record<string, string | number>>;

class Vars extends Directive {
  #last: Values = {};

  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('vars() stands in a tag, by itself');
  }

  override render(_values: Values): unknown {
    return noChange;
  }

  override update(part: ElementPart, [values]: [Values]): unknown {
    const style = (part.element as HTMLElement).style;
    for (const name of Object.keys(this.#last)) if (!(name in values)) style.removeProperty(`--${name}`);
    for (const [name, value] of Object.entries(values))
      if (this.#last[name] !== value) style.setProperty(`--${name}`, String(value));
    this.#last = values;
    return noChange;
  }
}

export const vars = directive(Vars);
