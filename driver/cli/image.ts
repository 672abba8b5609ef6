import { type Command, Option } from 'commander';
import { DISK_FORMATS, VISIBILITIES } from '../clouds/image/port';
import { collected, type Flags, pairs, withIdentity } from './operator/running';

/** What images of engines bear unless told otherwise; to be named by `[controller_worker] amp_image_tag`. */
const TAG = 'slipstream-engine';

/** The commands on images of engines. They talk to Glance, as whoever the environment says. */
export function addImageCommands(program: Command): void {
  const image = program.command('image').description('images of service engines, in the image service');
  withIdentity(image.command('upload').description('uploads an image of an engine, unless the same is there already'))
    .argument('<file>', 'the image')
    .addOption(new Option('--tag <tag>', 'by which engines find it; repeatable').default([], TAG).argParser(collected))
    .option('--name <name>', 'its name; that of the file unless given')
    .addOption(new Option('--disk-format <format>', 'what the file is; found out unless given').choices(DISK_FORMATS))
    .addOption(new Option('--visibility <who>', 'who sees it').choices(VISIBILITIES).default('private'))
    .option('--owner <project id>', 'the project it is to belong to, instead of your own; for admins')
    .addOption(
      pairs('--property <name=value>', 'further properties, hw_vif_multiqueue_enabled=true for one; repeatable'),
    )
    .action((file: string, flags: Flags) => load().upload(file, TAG, flags));
  withIdentity(
    image.command('list').description('lists images of engines, the newest first: that is the one to be used'),
  )
    .option('--tag <tag>', 'which they bear', TAG)
    .option('--owner <project id>', 'only of this project')
    .action((flags: Flags) => load().list(flags));
}

/** Only who works with images needs what speaks to clouds. */
function load(): typeof import('./imageService') {
  return require('./imageService') as typeof import('./imageService');
}
