import { toPort } from '../../../driver/clouds/network/http/views';

describe('a port as Neutron shows it', () => {
  const zone = process.env['TZ'];
  beforeEach(() => {
    process.env['TZ'] = 'America/New_York';
  });
  afterEach(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });

  const madeAt = (created_at: string | null): string =>
    toPort({ id: 'port', network_id: 'net', mac_address: '02:00:00:00:00:01', created_at }).createdAt.toISOString();

  it('was made at a time of UTC, whether its Neutron says so or not (Contrail does not)', () => {
    expect(madeAt('2026-11-21T22:00:46Z')).toBe('2026-11-21T22:00:46.000Z');
    expect(madeAt('2026-11-21T22:00:46.731000')).toBe('2026-11-21T22:00:46.731Z');
    expect(madeAt('2026-11-21T23:00:46+01:00')).toBe('2026-11-21T22:00:46.000Z');
  });

  it('was made long ago if nobody says when', () => {
    expect(madeAt(null)).toBe('1970-01-01T00:00:00.000Z');
  });
});
