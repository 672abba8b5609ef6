import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRulesInForce } from '../../api/policy/open';
import { builtInRules } from '../../api/policy/roles';
import { parseConfig } from '../../driver/config/load';

const folder = mkdtempSync(join(tmpdir(), 'slipstream-policy-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CREATE = 'os_load-balancer_api:loadbalancer:post';
const configured = (settings: Record<string, string> = {}) => parseConfig({ oslo_policy: settings }, folder).config;

it('are the built-in ones of the role model where no file says otherwise', async () => {
  expect(await readRulesInForce(configured({ policy_file: 'missing.yaml' }))).toEqual(builtInRules('either'));
  expect(await readRulesInForce(configured({ policy_file: 'missing.yaml', role_model: 'advanced' }))).toEqual(
    builtInRules('advanced'),
  );
});

it('have what files of the operator override, and nothing else changed', async () => {
  writeFileSync(join(folder, 'policy.yaml'), `"${CREATE}": "role:builder"\n`);

  expect(await readRulesInForce(configured())).toEqual({ ...builtInRules('either'), [CREATE]: 'role:builder' });
});

it('are not told from a file that the API would refuse', async () => {
  writeFileSync(join(folder, 'broken.yaml'), `"${CREATE}": "(role:builder"\n`);

  await expect(readRulesInForce(configured({ policy_file: 'broken.yaml' }))).rejects.toThrow(CREATE);
});
