import { createAnnouncements, type ServedHere } from '../../../driver/agent/bgp/announcements';

const served = (over: Partial<ServedHere> = {}): ServedHere => ({
  ...{ id: 'lb-1', domainId: 'domain-1', vips: ['10.0.0.60'], wanted: true, serving: true, usable: true },
  announcement: { when: 'usable', upDelay: 2000, downDelay: 3000, draining: false },
  ...over,
});
const shown = { address: '10.0.0.60', graceful: false };

/** What is announced after each of these looks, a second apart. */
function seenAfter(...looks: (Partial<ServedHere> | null)[]) {
  const announcements = createAnnouncements();
  return looks.map((look, second) => {
    announcements.look(look === null ? [] : [served(look)], second * 1000);
    return announcements.routes('domain-1').length;
  });
}
const [up, down] = [{ usable: true }, { usable: false }];

describe('what is announced', () => {
  it('is a VIP at once when it is usable for the first time', () => {
    expect(seenAfter(down, up)).toEqual([0, 1]);
  });

  it('goes when no member has been usable for the delay, and comes back as late', () => {
    expect(seenAfter(up, down, down, down, down, up, up, up)).toEqual([1, 1, 1, 1, 0, 0, 0, 1]);
  });

  it('stays as it is when members come and go faster than that', () => {
    expect(seenAfter(up, down, down, up, down, down, up, down, down)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    expect(seenAfter(up, down, down, down, down, up, down, up, down, up)).toEqual([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  it('does not change by what is not known yet', () => {
    expect(seenAfter({ usable: null }, up, { usable: null, serving: false })).toEqual([0, 1, 1]);
  });

  it('goes at once with the listeners, and with the load balancer', () => {
    expect(seenAfter(up, { wanted: false }, up, null)).toEqual([1, 0, 1, 0]);
  });

  it('is always there, with processes, where that is the policy', () => {
    const always = { announcement: { ...served().announcement, when: 'always' as const }, usable: false };
    expect(seenAfter({ ...always, serving: false }, always, always)).toEqual([0, 1, 1]);
  });

  it('has GRACEFUL_SHUTDOWN for two seconds on its way off, and is not announced anew', () => {
    const announcements = createAnnouncements();
    const draining = served({ announcement: { ...served().announcement, draining: true } });
    announcements.look([served()], 0);
    expect(announcements.look([draining], 1000)).toBe(2000);
    expect(announcements.routes('domain-1')).toEqual([{ ...shown, graceful: true }]);
    announcements.look([draining], 3000);
    expect(announcements.routes('domain-1')).toEqual([]);
    expect(seenAfter({ announcement: draining.announcement })).toEqual([0]);
  });

  it('has GRACEFUL_SHUTDOWN while it parts, though it is served no more, and is gone when it is forgotten', () => {
    const announcements = createAnnouncements();
    announcements.look([served()], 0);
    announcements.part('lb-1');
    announcements.look([], 100);
    expect(announcements.routes('domain-1')).toEqual([{ ...shown, graceful: true }]);
    announcements.forget('lb-1');
    expect(announcements.routes('domain-1')).toEqual([]);
  });

  it('goes on from what the BIRD of an earlier agent announces', () => {
    const announcements = createAnnouncements();
    announcements.adopt('domain-1', new Set(['10.0.0.60']));
    expect(announcements.look([served({ usable: false })], 0)).toBe(3000);
    expect(announcements.routes('domain-1')).toEqual([shown]);
    expect(announcements.domainOf('lb-1')).toBe('domain-1');
  });
});
