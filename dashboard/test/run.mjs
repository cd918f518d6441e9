// Runs the tests of the page's pure functions: each is bundled, then node's own runner takes them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const here = new URL('.', import.meta.url).pathname;
const outdir = mkdtempSync(join(tmpdir(), 'teal-page-'));
const entryPoints = readdirSync(here)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join(here, name));
await build({ entryPoints, outdir, bundle: true, platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' } });
const tests = readdirSync(outdir).map((name) => join(outdir, name));
const { status } = spawnSync(process.execPath, ['--test', ...tests], {
  stdio: 'inherit',
  env: { ...process.env, TZ: 'UTC' },
});
rmSync(outdir, { recursive: true });
process.exit(status ?? 1);
