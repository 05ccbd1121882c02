/**
 * Preloaded (`--import`) into the services that `npm start` runs. A supervisor that is killed can't stop them, but its
 * end of the channel closes. SIGKILL, because nothing that they still try to do may hold their ports: the next start
 * must find them free, and a service must survive being killed anyway.
 */
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
// A listener keeps the channel, and so the process, alive; a service must end when its own work is done.
process.channel?.unref()
