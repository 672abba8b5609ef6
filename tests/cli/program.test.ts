import { createProgram } from '../../driver/cli/program';

const COMMANDS = [
  ...['all-in-one', 'api', 'worker', 'health-manager', 'housekeeping', 'driver-agent', 'agent'],
  ...['db upgrade', 'db version', 'config show', 'policy show'],
];

it.each(COMMANDS)('explains %s and how it is configured', (name) => {
  const help = name
    .split(' ')
    .reduce(
      (command, word) => {
        const found = command.commands.find((one) => one.name() === word);
        if (!found) throw new Error(`no command ${word}`);
        return found;
      },
      createProgram(() => undefined),
    )
    .helpInformation();

  expect(help).toContain(`slipstream ${name}`);
  expect(help).toContain('--config-file <path>');
  expect(help).toContain('--config-dir <path>');
});
