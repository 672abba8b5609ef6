import { createLogger } from '../../driver/telemetry/logger';

function logInto(lines: string[], settings: { debug?: boolean; pretty?: boolean } = {}) {
  const write = (line: string): void => void lines.push(line);
  return createLogger({ process: 'api', debug: false, pretty: false, ...settings }, { write });
}

it('writes one JSON object a line, with the context of its child logger', () => {
  const lines: string[] = [];

  logInto(lines).child({ request_id: 'req-1' }).child({ lb: 'lb-1' }).warn({ engine: 'e' }, 'silent');

  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    process: 'api',
    request_id: 'req-1',
    lb: 'lb-1',
    engine: 'e',
    msg: 'silent',
  });
});

it('leaves debug lines out unless asked for them', () => {
  const lines: string[] = [];

  logInto(lines).debug('hidden');
  logInto(lines, { debug: true }).debug('shown');

  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['shown']);
});

it('hides secrets wherever an object holds them', () => {
  const lines: string[] = [];

  logInto(lines).info(
    {
      password: 'hunter2',
      auth: { password: 'hunter2', deeper: { token: 'hunter2' } },
      req: { headers: { 'x-auth-token': 'hunter2' } },
    },
    'a request',
  );

  expect(lines[0]).not.toContain('hunter2');
  expect(lines[0]).toContain('***');
});

it('tells people in words', () => {
  const lines: string[] = [];

  logInto(lines, { pretty: true }).info({ lb: 'lb-1' }, 'the API is up');

  expect(lines.join('')).toMatch(/INFO.*the API is up/);
  expect(lines.join('')).not.toMatch(/^\{/);
});
