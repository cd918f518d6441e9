/** What somebody sees who has just started Teal: no group yet, and how to make one. */
import { html, svg, type TemplateResult } from 'lit-html';
import { address } from '../api/client';
import type { Page } from '../page';
import { button } from '../parts/commands';

const COMPUTE = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/demo/providers/Microsoft.Compute';

export function empty(page: Page): TemplateResult {
  const command = `curl -X PUT ${address('groups/web')} -H 'content-type: application/json' -d @- <<JSON
{"scaleSetId": "${COMPUTE}/virtualMachineScaleSets/web",
 "imageId": "${COMPUTE}/galleries/apps/images/web",
 "healthCheckTypes": ["vmState", "applicationHealth"]}
JSON`;
  return html`<section class="card empty">
    <div>
      <svg class="big-logo" viewBox="0 0 32 32" aria-hidden="true">${svg`<use href="#logo"></use>`}</svg>
      <h1>No group yet</h1>
      <p class="soft">
        A group is a scale set that Teal deploys to, and how. Register the first one, and this page shows what runs on
        it, what it would take to replace it, and every deployment as it goes.
      </p>
      <ol>
        <li>
          <span><b>Register a scale set.</b> Its id, its image, and how to tell that a VM is healthy.</span>
        </li>
        <li>
          <span
            ><b>Plan.</b> See which VMs go in which batch, how long it takes, and what speaks against it. Nothing is
            changed.</span
          >
        </li>
        <li>
          <span><b>Roll.</b> Green VMs must be healthy before blue ones go. As many serve as before, at any time.</span>
        </li>
      </ol>
    </div>
    <div>
      <div class="bs between">
        <h2>Register a scale set</h2>
        ${button('small', 'copy', 'Copy', '', () => page.copy(command, 'The command'))}
      </div>
      <pre class="wrap" tabindex="0" role="region" aria-label="The command">${command}</pre>
      <p class="s soft">
        It appears here within seconds. A scale set of your own, without an account:
        <code>make run ARGS="--scale-set my-set.json"</code>
      </p>
      <div class="bs"><a class="b" href=${address('docs')}>The API as a page</a></div>
    </div>
  </section>`;
}
