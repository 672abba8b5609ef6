import { readIdentity } from '../../driver/agentBootstrap/identity';

const metaData = (meta: Record<string, string>) => JSON.stringify({ uuid: 'server-1', name: 'engine', meta });

it('takes the whole URLs of its controllers, in their order', () => {
  const identity = readIdentity(
    metaData({
      slipstream_engine: 'engine-1',
      AVICNTRL: '192.0.2.1',
      AVICNTRL_IPS: '192.0.2.1',
      AVICNTRL_AUTHTOKEN: 'secret',
      slipstream_controller_10: 'ws://192.0.2.3:5555',
      slipstream_controller_0: 'ws://192.0.2.1:5556',
      slipstream_controller_1: 'wss://[2001:db8::2]:5555',
    }),
  );

  expect(identity).toEqual({
    engineId: 'engine-1',
    token: 'secret',
    controllers: ['ws://192.0.2.1:5556', 'wss://[2001:db8::2]:5555', 'ws://192.0.2.3:5555'],
  });
});

it("does with Avi's names alone, at the usual port", () => {
  const meta = {
    slipstream_engine: 'e',
    AVICNTRL: '192.0.2.1',
    AVICNTRL_IPS: '192.0.2.1, 2001:db8::2',
    AVICNTRL_AUTHTOKEN: 't',
  };

  expect(readIdentity(metaData(meta)).controllers).toEqual(['ws://192.0.2.1:5555', 'ws://[2001:db8::2]:5555']);
});

it.each([
  [{}, 'lacks slipstream_engine, AVICNTRL_AUTHTOKEN, AVICNTRL'],
  [{ slipstream_engine: 'e', AVICNTRL: '192.0.2.1' }, 'lacks AVICNTRL_AUTHTOKEN'],
])('names everything that is missing: %j', (meta, words) => {
  expect(() => readIdentity(metaData(meta as Record<string, string>))).toThrow(words);
});
