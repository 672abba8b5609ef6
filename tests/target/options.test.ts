import { DEFAULT_OPTIONS, optionsFor } from '../../driver/target/options';
import { buildSpec } from '../../driver/target/spec';
import { aListener, aPool, aTree } from '../support/build';

const given = { membersStartDown: false, logTarget: '192.0.2.1:514' };

it('takes what the configuration says where the flavor says nothing', () => {
  expect(optionsFor(given, undefined)).toEqual(given);
  expect(optionsFor(given, { loadbalancer_topology: 'SINGLE' })).toEqual(given);
});

it('takes what the flavor says before that, an empty target for none', () => {
  expect(optionsFor(given, { members_start_down: true, log_target: '' })).toEqual(DEFAULT_OPTIONS);
  expect(optionsFor(DEFAULT_OPTIONS, { log_target: '/var/log/lb.log' }).logTarget).toBe('/var/log/lb.log');
});

it('puts them into the spec, and a change of them into its digest', () => {
  const tree = aTree({ pools: [aPool({ id: 'p' })], listeners: [aListener({ defaultPoolId: 'p' })] });
  const version = { generation: 1, epoch: 1 };
  const spec = buildSpec(tree, version, new Map(), given);
  expect(spec.listeners[0]?.log).toEqual({ target: '192.0.2.1:514' });
  expect(spec.pools[0]?.membersStartDown).toBe(false);
  expect(spec.digest).not.toBe(buildSpec(tree, version).digest);
});
