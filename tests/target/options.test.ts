import { DEFAULT_OPTIONS, optionsFor } from '../../driver/target/options';
import { buildSpec } from '../../driver/target/spec';
import { aListener, aPool, aTree } from '../support/build';

const given = { ...DEFAULT_OPTIONS, membersStartDown: false, logTarget: '192.0.2.1:514' };

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

describe('what becomes of a VIP while no member is usable', () => {
  const version = { generation: 1, epoch: 1 };
  const inMode = (vipMode: 'aap' | 'bgp' | null, flavor: Record<string, unknown> = {}, draining = false) =>
    buildSpec(aTree({ vipMode }), { ...version, draining }, new Map(), optionsFor(DEFAULT_OPTIONS, flavor));

  it('is that it is not announced any more in BGP mode, unless the flavor says otherwise', () => {
    const usual = { when: 'usable', upDelay: 2000, downDelay: 3000, draining: false };
    expect(inMode('bgp').announcement).toEqual(usual);
    expect(inMode('bgp', { withdraw_vip_on_down: true }).announcement).toEqual(usual);
    expect(inMode('bgp', { withdraw_vip_on_down: false }).announcement).toEqual({ ...usual, when: 'always' });
    expect(inMode('bgp', { withdraw_vip_on_down: 'close' })).toMatchObject({
      announcement: { when: 'always' },
      whenDown: 'close',
    });
    expect(inMode('aap', {}, true).leaving).toBe(true);
    expect(inMode('aap')).not.toHaveProperty('leaving');
  });

  it('stays announced by an engine that drains, but for one of a pair: the other is to take over', () => {
    const drained = (masterTerm: number | null) =>
      buildSpec(aTree({ vipMode: 'bgp', masterTerm }), { ...version, draining: true, role: 'primary' });
    expect(drained(null)).toMatchObject({ leaving: true, announcement: { draining: false } });
    expect(drained(3)).toMatchObject({ leaving: true, announcement: { draining: true } });
  });

  it('is nothing the engine does in the other modes, unless its ports are to be closed', () => {
    for (const mode of ['aap', null] as const) {
      expect(inMode(mode, { withdraw_vip_on_down: true })).not.toHaveProperty('announcement');
      expect(inMode(mode, { withdraw_vip_on_down: true })).not.toHaveProperty('whenDown');
      expect(inMode(mode, { withdraw_vip_on_down: 'close' })).toMatchObject({ whenDown: 'close', closeDelay: 3000 });
    }
  });

  it('has ports closed when members have been down for as long as the configuration says', () => {
    const options = optionsFor({ ...DEFAULT_OPTIONS, withdrawDelay: 20_000 }, { withdraw_vip_on_down: 'close' });
    expect(buildSpec(aTree({}), version, new Map(), options).closeDelay).toBe(20_000);
  });
});
