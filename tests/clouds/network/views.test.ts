import { toPort, withZone } from '../../../driver/clouds/network/http/views';

describe('times of a Neutron', () => {
  it('are of UTC, whether it says so or not (Contrail does not)', () => {
    expect(withZone('2026-11-21T22:00:46.731000')).toBe('2026-11-21T22:00:46.731000Z');
    expect(withZone('2026-11-21T22:00:46Z')).toBe('2026-11-21T22:00:46Z');
    expect(withZone('2026-11-21T23:00:46+01:00')).toBe('2026-11-21T23:00:46+01:00');
  });

  it('are long ago if it does not tell them', () => {
    const madeAt = (created_at: string | null) =>
      toPort({ id: 'port', network_id: 'net', mac_address: '02:00:00:00:00:01', created_at }).createdAt;

    expect(madeAt(null)).toEqual(new Date(0));
    expect(madeAt('2026-11-21T22:00:46.731000')).toEqual(new Date('2026-11-21T22:00:46.731Z'));
  });
});
