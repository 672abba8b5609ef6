import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { admit } from '../../../driver/agent/haproxy/admit';
import { layOut } from '../../../driver/agent/haproxy/layout';
import { renderConfig } from '../../../driver/agent/haproxy/render';
import { addServerCommand } from '../../../driver/agent/haproxy/server';
import { aListener, aMember, aMonitor, aPolicy, aPool, aRule, aSpec } from '../../support/agentSpecs';
import { issue } from '../../support/certificates/issue';
import { createJudge, foreignLines, foreignWords, type Judge, wordsOf } from '../../support/hostile/judge';
import { specOf } from '../../support/hostile/spec';
import { infest, infestations } from '../../support/hostile/values';

const directory = mkdtempSync(join(tmpdir(), 'slipstream-hostile-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('hostile values given to the renderer alone', () => {
  let judge: Judge;
  beforeAll(async () => {
    judge = createJudge(directory, await issue({ cn: 'www.example.org', isCa: true }));
  });
  const hostile = infestations(specOf);

  it('stay inside their quotes: every line, as haproxy reads it, is one of ours', () => {
    return fc.assert(
      fc.property(hostile, (values) => {
        const spec = specOf(infest(values));
        const admission = admit(spec);
        fc.pre(!admission.faults.some(({ kind }) => kind === 'loadbalancer'));
        const layout = layOut(admission.spec);
        expect(foreignLines(renderConfig(layout, judge.settings))).toEqual([]);
        for (const backend of layout.backends) {
          for (const member of backend.pool.members) {
            expect(foreignWords(addServerCommand(backend, member, null))).toEqual([]);
          }
        }
      }),
      { numRuns: 1000 },
    );
  }, 60_000);

  it('make no configuration that haproxy refuses, but for a regex or a name that only it can judge', () => {
    return fc.assert(
      fc.property(hostile, (values) => {
        const spec = specOf(infest(values));
        const admission = admit(spec);
        fc.pre(!admission.faults.some(({ kind }) => kind === 'loadbalancer'));
        const { valid, blamed, output } = judge.judge(layOut(admission.spec));
        if (valid) return;
        const rules = spec.listeners.flatMap(({ l7Policies }) => l7Policies.flatMap((policy) => policy.rules));
        const regexes = new Set(rules.filter(({ compareType }) => compareType === 'REGEX').map(({ id }) => id));
        const others = blamed.filter(({ kind, id }) => kind !== 'l7rule' || !regexes.has(id));
        if (blamed.length === 0 || others.length > 0) throw new Error(output.slice(-600));
      }),
      { numRuns: 100 },
    );
  }, 60_000);

  it('would be seen if they got out', () => {
    expect(wordsOf("  acl 'a'\\''b # c' -- # 'd'")).toEqual(['acl', "a'b # c", '--']);
    const smuggled = (text: string) => foreignLines({ text: `${text}\n`, owners: [] });
    expect(smuggled("  acl 'x'\n  stats enable")).toEqual(['  stats enable']);
    expect(smuggled('  http-request use-service prometheus-exporter')).toHaveLength(1);
    expect(smuggled("frontend 'x'\nuserlist x")).toEqual(['userlist x']);
  });
});

it('names what it leaves out and serves the rest', () => {
  const spec = aSpec({
    listeners: [
      aListener({
        l7Policies: [
          aPolicy(),
          aPolicy({ id: 'policy-code', action: 'REDIRECT_TO_URL', redirectUrl: 'http://a', redirectHttpCode: 200 }),
          aPolicy({ id: 'policy-url', action: 'REDIRECT_PREFIX', redirectPrefix: 'http://a\n' }),
          aPolicy({ id: 'policy-rule', rules: [aRule({ id: 'rule-key', type: 'HEADER', key: 'a b' })] }),
          aPolicy({ id: 'policy-value', rules: [aRule({ id: 'rule-value', value: '\u0007' }), aRule({ id: 'good' })] }),
        ],
      }),
      aListener({ id: 'listener-sctp', protocol: 'SCTP', port: 53 }),
      aListener({ id: 'listener-cidr', port: 8081, allowedCidrs: ['10.0.0.0/33'] }),
      aListener({ id: 'listener-twice' }),
      aListener({ id: 'listener-tcp', protocol: 'TCP', port: 8082, l7Policies: [aPolicy({ id: 'policy-tcp' })] }),
    ],
    pools: [
      aPool({
        members: [aMember(), aMember({ id: 'member-name', address: 'host.example.org' })],
        monitor: aMonitor({ urlPath: '/\n' }),
        persistence: { type: 'APP_COOKIE', cookieName: 'a b', timeout: null, granularity: null },
      }),
    ],
  });
  const admission = admit(spec);

  expect(admission.faults.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
    'l7policy policy-code',
    'l7policy policy-url',
    'l7rule rule-key',
    'l7rule rule-value',
    'listener listener-sctp',
    'listener listener-cidr',
    'listener listener-twice',
    'l7policy policy-tcp',
    'pool pool-1',
    'healthmonitor monitor-1',
    'member member-name',
  ]);
  expect(admission.spec).toMatchObject({
    listeners: [
      { id: 'listener-1', l7Policies: [{ id: 'policy-1' }] },
      { id: 'listener-tcp', l7Policies: [] },
    ],
    pools: [{ id: 'pool-1', persistence: null, monitor: null, members: [{ id: 'member-1' }] }],
  });
});
