import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { admit } from '../../../driver/agent/haproxy/admit';
import { layOut } from '../../../driver/agent/haproxy/layout';
import { NAP_SCRIPT } from '../../../driver/agent/haproxy/patience';
import { type RenderSettings, renderConfig } from '../../../driver/agent/haproxy/render';
import { GOLDEN_SPECS } from './goldenSpecs';

/** Set to write the files anew; then look at the difference before committing it. */
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const GOLDEN = join(__dirname, '../../golden/haproxy');

const settings: RenderSettings = {
  workerSocket: '/run/slipstream/0123456789abcdef.w1',
  peerSocket: '/run/slipstream/0123456789abcdef.p',
  serverStateFile: '/var/lib/slipstream/lb/lb-1/servers.state',
  maxConnections: 2000,
  threads: 2,
  logSocket: '/run/slipstream/lines',
  metricsSocket: '/run/slipstream/metrics',
  keptDirectory: '/var/lib/slipstream/lb/lb-1',
  napScript: '/var/lib/slipstream/nap.lua',
};

describe.each(Object.entries(GOLDEN_SPECS))('the configuration %s', (name, spec) => {
  const { text } = renderConfig(layOut(admit(spec).spec), settings);
  const path = join(GOLDEN, `${name}.cfg`);
  if (UPDATE) writeFileSync(path, text);

  it('is rendered to the letter', () => {
    expect(text).toBe(readFileSync(path, 'utf8'));
  });

  it("passes haproxy's own checker without a warning", () => {
    const directory = mkdtempSync(join(tmpdir(), 'slipstream-golden-'));
    try {
      const state = join(directory, 'servers.state');
      writeFileSync(state, '1\n');
      const candidate = join(directory, 'haproxy.cfg');
      const script = join(directory, 'nap.lua');
      writeFileSync(script, NAP_SCRIPT);
      for (const [, file] of text.matchAll(/(kept-\w+\.map)/g)) writeFileSync(join(directory, file ?? ''), '');
      const placed = text
        .replaceAll('/var/lib/slipstream/lb/lb-1', directory)
        .replace('/var/lib/slipstream/nap.lua', script);
      writeFileSync(candidate, placed);
      expect(() => execFileSync('haproxy', ['-c', '-q', '-dW', '-f', candidate])).not.toThrow();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
