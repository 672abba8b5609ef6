import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { admit } from '../../../driver/agent/haproxy/admit';
import type { Fault } from '../../../driver/agent/haproxy/fault';
import { layOut } from '../../../driver/agent/haproxy/layout';
import { renderConfig } from '../../../driver/agent/haproxy/render';
import { loadTree } from '../../../driver/db/tree';
import type { LoadBalancerSpec } from '../../../driver/protocol/spec';
import { buildSpec } from '../../../driver/target/spec';
import { materialKey, materialReferences } from '../../../driver/target/tls';
import { startTestApi, type TestApi } from '../../support/api';
import { issue } from '../../support/certificates/issue';
import { createJudge, foreignLines, type Judge } from '../../support/hostile/judge';
import { treeOf } from '../../support/hostile/request';
import { infest, infestations } from '../../support/hostile/values';

const RUNS = 120;

/** What Octavia accepts, and only an engine can say of it that it is no good: a regex, and the names of ciphers. */
function isExpected({ kind, reason }: Fault): boolean {
  return kind === 'l7rule' || reason.includes('ciphers');
}

describe('hostile values sent to the API', () => {
  const directory = mkdtempSync(join(tmpdir(), 'slipstream-requests-'));
  let api: TestApi;
  let judge: Judge;
  beforeAll(async () => {
    api = await startTestApi();
    judge = createJudge(directory, await issue({ cn: 'www.example.org', isCa: true }));
  });
  afterAll(async () => {
    await api.close();
    rmSync(directory, { recursive: true });
  });

  /** What an engine would be told of the load balancer, its certificates at hand. */
  const specOf = async (id: string): Promise<LoadBalancerSpec> => {
    const tree = await loadTree(api.db, id);
    if (tree === undefined) throw new Error(`${id} is not there`);
    const materials = materialReferences(tree).map((it) => [materialKey(it), { digest: '0'.repeat(64) }] as const);
    return buildSpec(tree, { generation: 1, epoch: 1 }, new Map(materials));
  };

  it('are refused with a fault of the client, or can be served without a line of their own', async () => {
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(infestations(treeOf), async (values) => {
        const answer = await api.post('/v2/lbaas/loadbalancers', { loadbalancer: treeOf(infest(values)) });
        if (answer.status !== 201) {
          expect({ status: answer.status, fault: answer.body?.faultcode }).toEqual({ status: 400, fault: 'Client' });
          return;
        }
        accepted += 1;
        const spec = await specOf(answer.body.loadbalancer.id);
        const admission = admit(spec);
        expect(admission.faults.filter((one) => !isExpected(one))).toEqual([]);
        const layout = layOut(admission.spec);
        expect(foreignLines(renderConfig(layout, judge.settings))).toEqual([]);
        const { valid, blamed, output } = judge.judge(layout);
        if (!valid && (blamed.length === 0 || blamed.some(({ kind }) => kind !== 'l7rule'))) throw new Error(output);
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(RUNS / 10);
  }, 60_000);
});
