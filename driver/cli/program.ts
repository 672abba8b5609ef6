import { Command, Option } from 'commander';
import { version } from '../../package.json';
import { type Config, showConfig } from '../config/config';
import { AGENT_DEFAULTS, type AgentFlags, startAgent } from './agent';
import { addAuthorityCommands } from './authority';
import { addImageCommands } from './image';
import type { ImportFlags } from './importOctavia';
import { runUntilSignal } from './lifecycle';
import { addOperatorCommands } from './operator/commands';
import type { ProcessName } from './processes';
import { type ConfigFlags, prepareProcess, readConfig } from './settings';

const CONTROLLERS: Readonly<Record<ProcessName, string>> = {
  api: 'the REST API of load balancers',
  worker: 'carries out changes: load balancers, engines, wiring',
  'health-manager': 'the port that Service Engines call: pushes specs, takes reports',
  housekeeping: 'periodic work: sweep, outbox, purge, fleet',
  'driver-agent': "the sockets of octavia-lib, for other providers' agents on this host",
};

/**
 * The command line. Modules are loaded by the commands that need them: an agent is small and `--help` is quick. Every command takes the same flags for its configuration.
 * @param onConfig told the configuration of a process before it starts
 */
export function createProgram(onConfig: (config: Config) => void): Command {
  const prepare = (name: string, flags: ConfigFlags): ReturnType<typeof prepareProcess> => {
    const prepared = prepareProcess(name, flags);
    onConfig(prepared.config);
    return prepared;
  };
  const program = new Command('slipstream')
    .description('Load balancing for OpenStack: the Octavia v2 API on a controller of Service Engines.')
    .version(version);
  addSite(program, prepare);
  for (const [name, description] of Object.entries(CONTROLLERS)) {
    addCommand(program, name, description).action(async (flags: ConfigFlags) => {
      const { config, log } = prepare(name, flags);
      const { startProcess } = require('./processes') as typeof import('./processes');
      await runUntilSignal(() => startProcess(name as ProcessName, config, log), { log, patience: patienceOf(config) });
    });
  }
  addAgent(program, prepare);
  addDatabaseCommands(program.command('db').description('the schema of the database'));
  addConfigCommands(program.command('config').description('the configuration'));
  addImport(program);
  addPolicyCommands(program.command('policy').description('who may do what'));
  addOperatorCommands(program);
  addImageCommands(program);
  addAuthorityCommands(program);
  return program;
}

function addSite(program: Command, prepare: typeof prepareProcess): void {
  const description = 'the whole service in one process, with an engine on this host: nothing else is needed';
  addCommand(program, 'all-in-one', description).action(async (flags: ConfigFlags) => {
    const { config, log } = prepare('all-in-one', flags);
    const { runAllInOne } = require('../embedded') as typeof import('../embedded');
    await runUntilSignal(() => runAllInOne(config, log), { log, patience: patienceOf(config) });
  });
}

function addAgent(program: Command, prepare: typeof prepareProcess): void {
  const told = 'the file in SLIPSTREAM_AGENT_CONFIG, or else by the config drive or the metadata service of its server';
  addCommand(program, 'agent', `runs one Service Engine, told by ${told}`)
    .option('--config-drive <directory>', 'where the config drive is mounted, instead of the device labelled config-2')
    .option('--metadata-url <url>', 'the metadata service', AGENT_DEFAULTS.metadataUrl)
    .option('--state-dir <directory>', 'what survives restarts', AGENT_DEFAULTS.stateDir)
    .option('--run-dir <directory>', 'sockets; a short path', AGENT_DEFAULTS.runDir)
    .action(async (flags: ConfigFlags & AgentFlags) => {
      const { config, log } = prepare('agent', flags);
      await runUntilSignal(() => startAgent(log, flags), { log, patience: patienceOf(config) });
    });
}

function addDatabaseCommands(db: Command): void {
  const load = () => require('./databaseCommands') as typeof import('./databaseCommands');
  addCommand(db, 'upgrade', 'brings the schema to the version of this program').action(async (flags: ConfigFlags) => {
    print(await load().upgrade(readConfig(flags).config));
  });
  addCommand(db, 'version', 'shows the version of the schema').action(async (flags: ConfigFlags) => {
    print(await load().describeVersion(readConfig(flags).config));
  });
}

function addImport(program: Command): void {
  const description =
    'takes load balancers over from Octavia, with their ids, VIP ports and floating IPs; shows what it would do unless told to';
  addCommand(program, 'import-octavia', description)
    .requiredOption('--connection <url>', "Octavia's own database: mysql://user:password@host/octavia")
    .addOption(repeatable('--load-balancer <id>', 'only this one; repeatable'))
    .addOption(repeatable('--project <id>', 'only those of this project; repeatable'))
    .addOption(new Option('--take', 'take them over').conflicts(['undo', 'confirm']))
    .addOption(new Option('--undo', 'give back what was taken over and is not confirmed').conflicts('confirm'))
    .option('--confirm', 'have Octavia forget what was taken over; there is no way back')
    .addOption(
      new Option('--patience <seconds>', 'how long each may take to become ACTIVE').default(600).argParser(Number),
    )
    .addOption(
      new Option('-f, --format <format>', 'how to show it').choices(['table', 'json', 'value']).default('table'),
    )
    .action(async (flags: ConfigFlags & ImportFlags) => {
      const { config, log } = prepareProcess('import-octavia', flags, process.stderr);
      const { importOctavia } = require('./importOctavia') as typeof import('./importOctavia');
      const { text, failed } = await importOctavia(config, log, flags);
      print(text);
      if (failed > 0) process.exitCode = 1;
    });
}

function addConfigCommands(config: Command): void {
  addCommand(config, 'show', 'prints what is in force, secrets hidden').action((flags: ConfigFlags) => {
    const { config: values, warnings } = readConfig(flags);
    print(showConfig(values).trimEnd());
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  });
}

function addPolicyCommands(policy: Command): void {
  const description = 'prints the rules in force as a policy.yaml, for Horizon or to begin one of your own';
  addCommand(policy, 'show', description).action(async (flags: ConfigFlags) => {
    const { readRulesInForce } = require('../../api/policy/open') as typeof import('../../api/policy/open');
    const { stringify } = require('yaml') as typeof import('yaml');
    const rules = await readRulesInForce(readConfig(flags).config);
    // As oslo.policy's own generator quotes them: colons and per cents mean something in YAML.
    print(
      stringify(rules, { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'QUOTE_DOUBLE' }).trimEnd(),
    );
  });
}

/** Seconds. */
function patienceOf({ DEFAULT: common }: Config): number {
  return common.graceful_shutdown_timeout;
}

function addCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .addOption(repeatable('--config-file <path>', 'a configuration file; repeatable, later ones win'))
    .addOption(repeatable('--config-dir <path>', 'a directory whose *.conf are read after the files; repeatable'));
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([], 'none')
    .argParser((value: string, earlier: readonly string[]) => [...earlier, value]);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
