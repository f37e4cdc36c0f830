/**
 * Tells the bridge which record was saved or deleted, by its type and number alone: the bridge
 * reads the rest itself. Nothing that goes wrong here stops anybody's save: what is not told is
 * found by the bridge's next poll.
 *
 * @NApiVersion 2.1
 * @NScriptType UserEventScript
 * @NModuleScope SameAccount
 */
define(['N/crypto', 'N/crypto/random', 'N/encode', 'N/https', 'N/log', 'N/runtime'], (
    crypto,
    random,
    encode,
    https,
    log,
    runtime
) => {
    'use strict';

    /**
     * The thin body that names a record.
     *
     * @param {{type: string, id: (string|number)}} record - what was saved
     * @param {boolean} isGone - whether it was deleted
     * @param {string} delivery - a name for this notice
     * @returns {string} JSON, byte for byte what is signed
     */
    const body = (record, isGone, delivery) =>
        JSON.stringify({
            event: isGone ? 'record.deleted' : 'record.changed',
            delivery_id: delivery,
            type: String(record.type),
            id: String(record.id),
        });

    /**
     * The headers that prove a body.
     *
     * @param {string} text - the body as it is sent
     * @param {number} seconds - since the epoch
     * @param {function(string): string} hmac - HMAC-SHA256 with the shared secret, in hex
     * @returns {Object<string, string>} by name
     */
    const headers = (text, seconds, hmac) => ({
        'Content-Type': 'application/json',
        'X-Fizz-Timestamp': String(seconds),
        'X-Fizz-Signature': `v1=${hmac(`${seconds}.${text}`).toLowerCase()}`,
    });

    /**
     * HMAC-SHA256 with a secret that stays in NetSuite.
     *
     * @param {string} secret - the script id of an API secret: custsecret_...
     * @returns {function(string): string} of a text, in hex
     */
    const signer = (secret) => (text) => {
        const key = crypto.createSecretKey({ secret, encoding: encode.Encoding.UTF_8 });
        const hmac = crypto.createHmac({ algorithm: crypto.HashAlg.SHA256, key });
        hmac.update({ input: text, inputEncoding: encode.Encoding.UTF_8 });
        return hmac.digest({ outputEncoding: encode.Encoding.HEX });
    };

    const afterSubmit = (context) => {
        try {
            const script = runtime.getCurrentScript();
            const url = script.getParameter({ name: 'custscript_fizzbridge_url' });
            const secret = script.getParameter({ name: 'custscript_fizzbridge_secret' });
            if (!url || !secret) {
                return;
            }
            const isGone = context.type === context.UserEventType.DELETE;
            const record = isGone ? context.oldRecord : context.newRecord;
            const text = body(record, isGone, random.generateUUID());
            const seconds = Math.floor(Date.now() / 1000);
            const answer = https.post({
                url,
                body: text,
                headers: headers(text, seconds, signer(secret)),
            });
            if (answer.code >= 300) {
                log.error({ title: 'fizzbridge', details: `answered ${answer.code}` });
            }
        } catch (error) {
            log.error({ title: 'fizzbridge', details: error.name || 'failed' });
        }
    };

    return { afterSubmit };
});
