import { readNotifications, readSessions, tellingError } from '../../../driver/agent/bgp/sessions';

/** As BIRD 2.0.12 answered. */
const ANSWER = `Name       Proto      Table      State  Since         Info
vips4      Static     master4    up     20:52:53.626
  Channel ipv4
    State:          UP

peer_a     BGP        ---        up     20:52:54.445  Established
  BGP state:          Established
    Neighbor address: 10.9.0.2
  Channel ipv4
    State:          UP
    Table:          master4
  Channel ipv6
    State:          DOWN

peer_b     BGP        ---        start  20:53:37.189  Active        Socket: Connection reset by peer
  BGP state:          Active
    Neighbor address: 10.9.0.3
    Last error:       Socket: Connection reset by peer
  Channel ipv4
    State:          DOWN
`.split('\n');

const LOG = `2026-11-21 20:53:36.400 <INFO> Reconfigured
2026-11-21 20:53:37.189 <RMT> peer_b: Received: Bad peer AS
2026-11-21 20:53:40.189 <RMT> peer_a: Received: Peer de-configured
`;

it('reads sessions out of what BIRD says of its protocols', () => {
  expect(Object.fromEntries(readSessions(ANSWER))).toEqual({
    peer_a: { state: 'established', lastError: null, families: new Set([4]) },
    peer_b: { state: 'active', lastError: 'Socket: Connection reset by peer', families: new Set() },
  });
});

it('prefers what a peer said to being cut off ever since, and tells nothing of a session that is there', () => {
  const sessions = readSessions(ANSWER);
  const said = readNotifications(LOG);
  const error = (name: string) => {
    const session = sessions.get(name);
    return session && tellingError(session, said.get(name));
  };
  expect(error('peer_b')).toBe('Received: Bad peer AS');
  expect(error('peer_a')).toBeNull();
  expect(
    tellingError({ state: 'connect', lastError: 'Socket: No route to host', families: new Set() }, 'Received: x'),
  ).toBe('Socket: No route to host');
});
