import { countFree } from '../../../driver/clouds/network/http/freeAddresses';

describe('countFree', () => {
  it('counts what the pools have less what ports have of it', () => {
    const pools = [
      { start: '10.0.0.10', end: '10.0.0.19' },
      { start: '10.0.0.30', end: '10.0.0.30' },
    ];
    expect(countFree(pools, [])).toBe(11);
    expect(countFree(pools, ['10.0.0.10', '10.0.0.10', '10.0.0.30', '10.0.0.1'])).toBe(9);
  });

  it('has a number for pools of IPv6, too', () => {
    expect(countFree([{ start: 'fd00::10', end: 'fd00::1f' }], ['fd00:0::11'])).toBe(15);
    expect(countFree([{ start: 'fd00::1', end: 'fd00::ffff:ffff:ffff:ffff' }], [])).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('counts nothing where there is no pool', () => {
    expect(countFree([], ['10.0.0.1'])).toBe(0);
  });
});
