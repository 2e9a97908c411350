// SPDX-License-Identifier: Apache-2.0

package io.godwit.qmp;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.json.Json;
import io.godwit.json.JsonObject;
import io.godwit.protocol.Capability;
import io.godwit.protocol.Parameters;
import io.godwit.protocol.TlsParameters;
import io.godwit.qemu.Authority;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Capabilities, parameters and objects: what is set is shown and reaches the endpoint, what cannot be is refused as a whole. */
class EndpointSettingsIT extends EndpointTalk {
    @Test
    void setsCapabilitiesAndShowsAllOfThem() throws Exception {
        assertThat(
                        ask(
                                "migrate-set-capabilities",
                                "{'capabilities':[{'capability':'postcopy-ram','state':true},"
                                        + "{'capability':'postcopy-preempt','state':true},{'capability':'multifd','state':false}]}"))
                .isEqualTo(OK);

        assertThat(endpoint.capabilities()).containsExactly(Capability.POSTCOPY_RAM, Capability.POSTCOPY_PREEMPT);
        List<Json> shown = ((JsonObject) Json.parse(ask("query-migrate-capabilities")))
                .array("return")
                .values();
        assertThat(shown.stream().map(one -> ((JsonObject) one).string("capability")))
                .containsExactly(Stream.of(Capability.values())
                        .filter(capability -> capability != Capability.COMPRESS)
                        .map(Capability::word)
                        .toArray(String[]::new));
        assertThat(shown)
                .contains(
                        Json.parse("{\"capability\":\"postcopy-ram\",\"state\":true}"),
                        Json.parse("{\"capability\":\"multifd\",\"state\":false}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[{'capability':'nope','state':true}] | no capability 'nope'",
                "[{'capability':'nope','state':false}] | no capability 'nope'",
                "[{'capability':'mapped-ram','state':true}] | 'mapped-ram' cannot be enabled: a migration carries its pages one behind the other",
                "[{'capability':'multifd','state':true},{'capability':'xbzrle','state':true}] | 'multifd'",
                "[{'capability':'postcopy-preempt','state':true}] | 'postcopy-preempt' needs 'postcopy-ram'",
                "[{'capability':'switchover-ack','state':true}] | 'switchover-ack' needs 'return-path'",
                "[{'capability':'events'}] | member 'state' is missing",
                "[{'capability':'events','state':1}] | member 'state' must be a boolean, got int",
                "[{'capability':'events','state':true,'x':1}] | no member 'x'",
                "['events'] | element 0 must be an object, got string",
            })
    void refusesCapabilitiesThatCannotBe(String capabilities, String sentence) throws Exception {
        assertThat(refusal("migrate-set-capabilities", "{'capabilities':" + capabilities + "}"))
                .contains(sentence);
        assertThat(endpoint.capabilities()).isEmpty();
    }

    @Test
    void whatOnlyOlderQemusKnowIsShownWhileItIsOn() throws Exception {
        ask("migrate-set-capabilities", "{'capabilities':[{'capability':'compress','state':true}]}");
        assertThat(ask("query-migrate-capabilities")).contains("\"compress\"");
        ask("migrate-set-capabilities", "{'capabilities':[{'capability':'compress','state':false}]}");
        assertThat(ask("query-migrate-capabilities")).doesNotContain("compress");
    }

    @Test
    void aCapabilityThatAnotherNeedsStaysOn() throws Exception {
        ask(
                "migrate-set-capabilities",
                "{'capabilities':[{'capability':'postcopy-ram','state':true},{'capability':'postcopy-preempt','state':true}]}");

        assertThat(ask("migrate-set-capabilities", "{'capabilities':[{'capability':'postcopy-ram','state':false}]}"))
                .contains("'postcopy-preempt' needs 'postcopy-ram'");
        assertThat(endpoint.capabilities()).contains(Capability.POSTCOPY_RAM);
    }

    @Test
    void setsParametersAllOrNone() throws Exception {
        assertThat(
                        ask(
                                "migrate-set-parameters",
                                "{'max-bandwidth':0,'max-postcopy-bandwidth':5,'downtime-limit':2000000,'avail-switchover-bandwidth':7,"
                                        + "'x-godwit-handshake-timeout':500,'x-godwit-liveness-timeout':0,'x-godwit-ping-interval':100}"))
                .isEqualTo(OK);
        assertThat(endpoint.parameters).isEqualTo(new Parameters(0, 5, 2_000_000, 7, 500, 0, 100));

        assertThat(ask("migrate-set-parameters", "{'max-bandwidth':9,'downtime-limit':2000001}"))
                .contains("'downtime-limit' must lie between 0 and 2000000, got 2000001");
        assertThat(endpoint.parameters.maxBandwidth()).isZero();
        assertThat(ask("migrate-set-parameters", "{'downtime-limit':1}")).isEqualTo(OK);
        assertThat(endpoint.parameters).isEqualTo(new Parameters(0, 5, 1, 7, 500, 0, 100));
        assertThat(ask("query-migrate-parameters"))
                .contains("\"downtime-limit\": 1,")
                .contains("\"max-postcopy-bandwidth\": 5,");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'nope':1} | no argument 'nope'",
                "{'max-bandwidth':'1G'} | must be an int, got string",
                "{'max-bandwidth':-1} | must lie between 0 and",
                "{'max-bandwidth':18446744073709551615} | must lie between 0 and",
                "{'multifd-channels':0} | between 1 and 255",
                "{'multifd-compression':'lz4'} | must be one of none, zlib",
                "{'multifd-compression':'qatzip'} | qatzip",
                "{'tls-authz':'authz0'} | whoever the CA has issued a certificate to is let in",
                "{'tls-creds':1} | must be a string or null",
                "{'cpu-throttle-tailslow':true} | cannot be changed from false",
                "{'block-bitmap-mapping':[{}]} | no block devices",
            })
    void refusesParametersThatCannotBe(String parameters, String sentence) throws Exception {
        assertThat(refusal("migrate-set-parameters", parameters)).contains(sentence);
    }

    @Test
    void tlsHasAnEffect(@TempDir Path dir) throws Exception {
        new Authority("test CA").folder(dir);
        String object = "{'qom-type':'tls-creds-x509','id':'tls0','dir':'" + dir + "','endpoint':'server'";
        assertThat(ask("object-add", object + ",'verify-peer':false}")).isEqualTo(OK);
        assertThat(endpoint.calls).contains("object-add tls0 server false");
        assertThat(ask("object-add", "{'qom-type':'tls-creds-x509','id':'tls1','dir':'" + dir + "'}"))
                .isEqualTo(OK);
        assertThat(endpoint.calls).contains("object-add tls1 client true");

        assertThat(ask("migrate-set-parameters", "{'tls-creds':'tls0','tls-hostname':'there'}"))
                .isEqualTo(OK);
        assertThat(endpoint.parameters.tls()).isEqualTo(new TlsParameters("tls0", "there"));
        assertThat(ask("query-migrate-parameters"))
                .contains("\"tls-creds\": \"tls0\"")
                .contains("\"tls-hostname\": \"there\"");
        assertThat(ask("migrate-set-parameters", "{'tls-creds':'','tls-hostname':null}"))
                .isEqualTo(OK);
        assertThat(endpoint.parameters).isEqualTo(Parameters.DEFAULT);
        assertThat(ask("object-del", "{'id':'tls0'}")).isEqualTo(OK);
        assertThat(endpoint.credentials.keySet()).containsExactly("tls1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'qom-type':'secret','id':'s'} | there are no objects of type 'secret' here",
                "{'qom-type':'tls-creds-x509','id':'t'} | 'dir' is missing",
                "{'qom-type':'tls-creds-x509','id':'','dir':'/'} | 'id' is empty",
                "{'qom-type':'tls-creds-x509','id':'t','dir':'/','endpoint':'both'} | must be client or server, got 'both'",
                "{'qom-type':'tls-creds-x509','id':'t','dir':'/','priority':'NORMAL'} | 'priority' is not understood",
                "{'qom-type':'tls-creds-x509','id':'t','dir':'/','passwordid':'s'} | encrypted keys are not read",
                "{'qom-type':'tls-creds-x509','id':'t','dir':'/','sanity-check':false} | cannot be off",
                "{'qom-type':'tls-creds-x509','id':'t','dir':'/nowhere'} | there is no folder /nowhere",
                "{'qom-type':'tls-creds-x509','id':'t','dir':'/'} | there is no file /ca-cert.pem",
            })
    void refusesObjectsThatCannotBe(String object, String sentence) throws Exception {
        assertThat(refusal("object-add", object)).contains(sentence);
        assertThat(endpoint.credentials).isEmpty();
    }

    @Test
    void acceptsTheDefaultOfWhatHasNoEffect() throws Exception {
        assertThat(ask(
                        "migrate-set-parameters",
                        "{'multifd-channels':2,'multifd-compression':'none','tls-creds':'','tls-hostname':null,"
                                + "'cpu-throttle-tailslow':false,'block-bitmap-mapping':[],'mode':'normal'}"))
                .isEqualTo(OK);
        assertThat(endpoint.parameters).isEqualTo(Parameters.DEFAULT);
        assertThat(ask("migrate-set-parameters", ask("query-migrate-parameters").replaceAll("^\\{\"return\": |}$", "")))
                .as("what it shows it takes")
                .isEqualTo(OK);
    }
}
