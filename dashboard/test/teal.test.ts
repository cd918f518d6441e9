import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tealDeploy, tealWatch } from '../src/model/teal';

test('a start is the command with the API’s fields as options', () => {
  const body = {
    image: '1.1.0',
    batchSizePercentage: 20,
    canary: { size: 1, approval: true, bakeTime: null },
    approvals: [1, 3],
    force: false,
    comment: "it's $(date) & more",
  };
  assert.equal(
    tealDeploy('https://t.net', 'web', body),
    'TEAL_URL=https://t.net teal deploy web --image=1.1.0 --batch-size-percentage=20 --canary-size=1 --canary-approval ' +
      "--approvals=1,3 --no-force --comment='it'\\''s $(date) & more' --wait",
  );
});

test('a deployment is watched by its id', () => {
  assert.equal(tealWatch('http://localhost:7071', 'web-1'), 'TEAL_URL=http://localhost:7071 teal watch web-1');
});
