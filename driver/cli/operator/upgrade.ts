import type { Command } from 'commander';
import type { OperatorClient, Shown } from './client';
import { GROUP } from './objects';
import { formatOne } from './output';
import { atLeastOne, type Flags, run, withIdentity } from './running';

const ACTIONS = {
  pause: 'begins with nothing further until it is resumed',
  resume: 'goes on with an upgrade that was paused or has stopped',
  undo: 'goes back to the image before',
} as const;

/** Rolling upgrades of the engines of a group. They go on by themselves; `show` tells how far they have come. */
export function addUpgradeCommands(group: Command): void {
  const upgrade = withIdentity(group.command('upgrade'))
    .description('replaces the engines of a group by engines of another image, without a lost request')
    .usage('<name-or-id> --image-tag <tag> | show|pause|resume|undo <name-or-id>')
    .argument('<name-or-id>')
    .requiredOption('--image-tag <tag>', 'of the image; may be the present one, when a newer image bears it')
    .option('--parallel <number>', 'engines at a time, once the first has proved itself; 1 by default', atLeastOne)
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => {
        const parallel = flags['parallel'] === undefined ? {} : { parallel: flags['parallel'] };
        const fields = { image_tag: flags['imageTag'], ...parallel };
        return show(await client.ask(await pathOf(client, nameOrId), { upgrade: fields }, 'upgrade'), flags);
      }),
    );
  withIdentity(upgrade.command('show').description('shows how far the latest upgrade has come'))
    .argument('<name-or-id>')
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => show(await client.get(await pathOf(client, nameOrId), 'upgrade'), flags)),
    );
  for (const [action, description] of Object.entries(ACTIONS)) {
    withIdentity(upgrade.command(action).description(description))
      .argument('<name-or-id>')
      .action((nameOrId: string, flags: Flags) =>
        run(flags, async (client) => {
          const path = `${await pathOf(client, nameOrId)}/action`;
          return show(await client.ask(path, { upgrade: { action } }, 'upgrade'), flags);
        }),
      );
  }
}

async function pathOf(client: OperatorClient, nameOrId: string): Promise<string> {
  return `${GROUP.path}/${(await client.show(GROUP, nameOrId))['id']}/upgrade`;
}

function show(upgrade: Shown, flags: Flags): string {
  return formatOne(upgrade, flags.format);
}
