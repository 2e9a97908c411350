// SPDX-License-Identifier: Apache-2.0

/**
 * Virtual machines parked on disk, never wrong after a killed process or a power loss at any instant.
 *
 * <p>{@link io.godwit.store.VmStore} is one VM's folder, held by one process, and the states that it goes through ({@link io.godwit.store.StoreState});
 * {@link io.godwit.store.StoreSink} takes a destination's pages, {@link io.godwit.store.StoreSource} gives a source's. {@link io.godwit.store.VmSummary} lists and shows,
 * {@link io.godwit.store.Verification}, {@link io.godwit.store.RawExport}, {@link io.godwit.store.StreamExport}, {@link io.godwit.store.StreamImport} and {@link
 * io.godwit.store.Removal} do what their names say. All of it goes through {@link io.godwit.store.Disk}; what goes wrong is a {@link io.godwit.store.StoreException}.
 *
 * <h2>On disk</h2>
 *
 * <pre>
 *   VM/
 *     lock            held by the process that uses the VM; its id as text
 *     manifest.json   who may run it, what it is, its blocks' names and lengths ({@link io.godwit.store.Manifest})
 *     ram-0           block 0: page p at p * 4096; sparse
 *     digest-0        block 0: XXH64 of page p at p * 8, little-endian; sparse
 *     ram-1 ...       a block's file is named by its number, never by the name that a peer chose
 *     devices         device state, verbatim, with a check sum (layout: DeviceFile); 1 MiB is taken in advance
 *     presence        which pages are received, which of them are zero, as a log of changes (layout: PresenceLog)
 *     *.new           a replacement that was not finished; of no meaning
 * </pre>
 *
 * Four bits of memory per page (128 KiB per GiB of RAM), at most 5 MiB of pages on their way to the files, and nothing else grows with the VM: pages and digests live in the system's page cache.
 * A zero page is a bit; its place in the file is a hole, or zeroes if something else was there before. The zero map decides: it is asked, not the file.
 *
 * <h2>Why it is never wrong</h2>
 *
 * A disk promises little: of what was written since a file's last good sync, each write may be there, or not, or torn, in any order; a name may be there or not until its folder was
 * synced; and once a sync has failed, a later one that succeeds says nothing about what the failed one should have saved, although readers go on seeing it. So:
 *
 * <ol>
 *   <li><b>What says that something is there is written after that something was synced.</b> A checkpoint writes what was kept back, copies the received bitmaps, syncs RAM and digests, and only
 *       then appends what changed to the presence file, and syncs that. Pages that come meanwhile belong to the next one.
 *   <li><b>What was said to be there never changes.</b> Until the commit point nothing is said: a precopy that dies begins anew, its source has the VM. From there on a received page is never
 *       overwritten.
 *   <li><b>What is small is replaced as a whole.</b> The manifest, and the presence file when it has grown long: new file, sync, rename, sync of the folder. Each record of the presence file carries
 *       a hash that covers its place and the file's generation: the first that does not match ends the file, and what is lost by that is only what was said last.
 *   <li><b>The commit is one write and one sync</b> of the device file, whose name and room were there before, so neither a folder nor a full disk can come between. Whole, and of the manifest's attempt, it
 *       outweighs a manifest that still says receiving. A process that dies before has said nothing to the source. (What QEMU 7.2 and 10.0 then do as sources is not in our hands: they have no way
 *       back once the blob has left them. The window is this sync.)
 *   <li><b>After a failed sync everything since the last good checkpoint counts as not received</b>: no page is taken until the bitmaps have been rolled back and a new presence file, which
 *       cannot hold what the failed sync may have left, has replaced the old one. The source still has those pages: a recovery asks for them.
 *   <li><b>Nobody is told that a park has failed before the disk says so for sure</b>: after a rename whose folder could not be synced the new manifest may be found as well as the old one, so the old one is
 *       written back. Until that is durable nothing is emptied, and whoever opens the folder next finds all of the VM, or a reception that counts for nothing.
 *   <li><b>A folder's first manifest finds nothing that could outweigh it, in a folder that stays</b>: what a removal that was cut short has left is deleted durably before, and the folder's own name is synced.
 *   <li><b>A new process trusts nothing that it merely reads</b>: a killed process may have written and not synced. It writes the manifest anew, and the device file if that is the commit, before it
 *       acts on them; the first checkpoint replaces the presence file.
 *   <li><b>Who may run the VM is durable before it can come true</b>: leaving is written before the commit point's last byte is handed to the kernel, gone after the destination has confirmed. A crash in
 *       between leaves the state in which nobody starts it a second time.
 *   <li><b>A page is compared with its digest before it is handed out</b>, block and index included, so a disk that returns something else is noticed. A damaged page is named and never sent.
 * </ol>
 *
 * The tests tell this to a simulated disk that is as unkind as the rules allow ({@link io.godwit.store.Disk}), and lose power, kill the process or fail a sync at any call.
 */
@NullMarked
package io.godwit.store;

import org.jspecify.annotations.NullMarked;
