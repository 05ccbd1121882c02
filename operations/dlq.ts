/** `npm run dlq -- …`: the old name of `npm run inbox`, for one release. */
import { runProcess } from '@product-events/terminal'
import { notificationInbox } from './inbox/notification-inbox.ts'

await runProcess('npm run dlq --', (terminal) => {
  terminal.stderr(
    'npm run dlq is now npm run inbox, with the same commands. The old name ends with the next release.\n',
  )
  return notificationInbox('npm run dlq --', terminal)
})
