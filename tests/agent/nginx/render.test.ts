import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { admit } from '../../../driver/agent/haproxy/admit';
import { balancedWeights } from '../../../driver/agent/nginx/balancedWeights';
import { readComplaint } from '../../../driver/agent/nginx/complaint';
import { createNginxFinder } from '../../../driver/agent/nginx/find';
import { type NginxSettings, renderNginx } from '../../../driver/agent/nginx/render';
import { directive, path, value } from '../../../driver/agent/nginx/words';
import { balanceOf, layOutUdp } from '../../../driver/agent/udp/layout';
import type { LoadBalancerSpec } from '../../../driver/protocol/spec';
import { aListener, aMember, aPool, aSpec } from '../../support/agentSpecs';
import { NGINX_SPECS } from './goldenSpecs';

/** Set to write the files anew; then look at the difference before committing it. */
const UPDATE = process.env['UPDATE_GOLDEN'] === '1';
const GOLDEN = join(__dirname, '../../golden/nginx');

const SETTINGS: NginxSettings = {
  streamModule: '/usr/lib/nginx/modules/ngx_stream_module.so',
  user: null,
  pidFile: '/var/lib/slipstream/lb/lb-1/nginx-1.pid',
  errorLog: '/var/lib/slipstream/lb/lb-1/nginx.log',
  sessionLog: '/var/lib/slipstream/lb/lb-1/sessions-1.log',
  maxSessions: 2000,
  maxFiles: 4096,
};

function render(spec: LoadBalancerSpec, settings: NginxSettings = SETTINGS) {
  const layout = layOutUdp(admit(spec).spec);
  const balances = layout.pools.map((pool) => balanceOf(pool, { health: () => null, isNewcomer: () => false }));
  return renderNginx(layout, balances, settings);
}

/** What nginx itself says; addresses are exchanged for some of this host, since it binds what it checks. */
async function judge(text: string): Promise<{ valid: boolean; output: string }> {
  const nginx = await createNginxFinder()();
  if ('problem' in nginx) throw new Error(nginx.problem);
  const directory = mkdtempSync(join(tmpdir(), 'slipstream-golden-'));
  try {
    const file = join(directory, 'nginx.conf');
    const local = text
      .replaceAll('/var/lib/slipstream/lb/lb-1', directory)
      .replace(SETTINGS.streamModule ?? '', nginx.streamModule ?? '')
      .replaceAll(/listen '\[[^']+\]:(\d+)'/g, "listen '[::1]:3$1'")
      .replaceAll(/listen '[\d.]+:(\d+)'/g, "listen '127.80.211.1:3$1'");
    writeFileSync(file, local);
    const { status, stderr } = spawnSync(nginx.path, ['-t', '-q', '-c', file, '-e', 'stderr'], { encoding: 'utf8' });
    return { valid: status === 0, output: stderr };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe.each(Object.entries(NGINX_SPECS))('the configuration %s', (name, spec) => {
  const { text, owners } = render(spec);
  const file = join(GOLDEN, `${name}.conf`);
  if (UPDATE) writeFileSync(file, text);

  it('is rendered to the letter, each line with its owner', () => {
    expect(text).toBe(readFileSync(file, 'utf8'));
    expect(owners.length).toBe(text.split('\n').length - 1);
  });

  it("passes nginx's own checker without a warning", async () => {
    expect(await judge(text)).toEqual({ valid: true, output: '' });
  });
});

describe('values of users', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom("'; return 1; #", '$host', 'a\n}', '10.0.0.1;', '\\', '"', '::1%lo', '{', '0/0', '１27.0.0.1'),
  );

  it('are written only if they are ids, addresses, networks or numbers', () => {
    void fc.assert(
      fc.property(hostile, (text) => {
        if (/^[\w.:/[\]-]+$/.test(text)) expect(value(text).text).toBe(`'${text}'`);
        else expect(() => value(text)).toThrow(RangeError);
      }),
      { numRuns: 1000 },
    );
    expect(() => path('/a/$b')).toThrow(RangeError);
    expect(directive(null, path("/a'\\b")).text).toBe("'/a\\'\\\\b';");
  });

  it('never make a line that is not one of ours, nor a configuration that cannot be rendered', () => {
    const words = fc.record({ id: hostile, address: hostile, cidr: hostile, granularity: hostile });
    return fc.assert(
      fc.property(words, ({ id, address, cidr, granularity }) => {
        const persistence = { type: 'SOURCE_IP' as const, cookieName: id, timeout: 1, granularity };
        const spec = aSpec({
          listeners: [
            aListener({ protocol: 'UDP' }),
            aListener({ id, protocol: 'UDP', port: 1, allowedCidrs: [cidr], connectionLimit: 3 }),
          ],
          pools: [
            aPool({ protocol: 'UDP', persistence, members: [aMember(), aMember({ id, address, monitorAddress: id })] }),
          ],
        });
        const lines = render(spec)
          .text.split('\n')
          .filter((line) => line !== '');
        expect(
          lines.filter(
            (line) =>
              !/^ *(?:[a-z_]+[^;{}'"$\n]*(?:'[^'\n]*'|"[^"\n]*"|[^;'"\n{}])*(?:;| \{)|\}|"~.*;|default .*;)$/.test(
                line,
              ),
          ),
        ).toEqual([]);
        expect(lines.map((line) => line.trim().split(' ')[0]).filter((word) => !KNOWN.has(word ?? ''))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

/** Every directive that the renderer writes. */
const KNOWN = new Set(
  `load_module daemon worker_processes worker_rlimit_nofile worker_shutdown_timeout pid error_log events
  worker_connections stream upstream server hash least_conn log_format limit_conn_zone limit_conn listen access_log allow
  deny proxy_timeout proxy_buffer_size proxy_pass map default } "~(?s)^.{4}$" "~(?s)^.{16}$"`.split(/\s+/),
);

describe('weights', () => {
  const weights = (values: readonly number[], hashed: boolean) => [
    ...balancedWeights(
      values.map((weight, index) => ({ id: `m${index}`, weight })),
      hashed,
    ).values(),
  ];

  it('lose their common divisor, and members without one are not there', () => {
    expect(weights([100, 50, 0, 25], false)).toEqual([4, 2, 1]);
    expect(weights([], false)).toEqual([]);
  });

  it('of a hash keep their ratios within a ring that can be sorted', () => {
    const found = weights(
      Array.from({ length: 1000 }, (_, index) => 1 + (index % 256)),
      true,
    );
    expect(found.reduce((sum, weight) => sum + weight)).toBeLessThan(6000);
    expect(Math.min(...found)).toBe(1);
  });
});

describe('what nginx says', () => {
  it('names a line and a reason', () => {
    const output = 'nginx: [warn] something\nnginx: [emerg] unknown directive "x" in /a b/nginx.conf:7\n';
    expect(readComplaint(output)).toEqual({ line: 7, reason: 'nginx: unknown directive "x"' });
    expect(readComplaint('nginx: [emerg] bind() to 0.0.0.0:53 failed (98: Address already in use)')).toEqual({
      line: null,
      reason: 'nginx: bind() to 0.0.0.0:53 failed (98: Address already in use)',
    });
    expect(readComplaint('')).toEqual({ line: null, reason: 'nginx gave no reason' });
  });
});
