import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.http.server.HttpFSServerWebServer;
import org.apache.hadoop.fs.permission.FsPermission;
import org.apache.hadoop.ha.HAServiceProtocol.RequestSource;
import org.apache.hadoop.ha.HAServiceProtocol.StateChangeRequestInfo;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.apache.hadoop.hdfs.HdfsConfiguration;
import org.apache.hadoop.hdfs.protocol.HdfsConstants;
import org.apache.hadoop.hdfs.protocol.HdfsConstants.DatanodeReportType;
import org.apache.hadoop.hdfs.protocol.HdfsConstants.SafeModeAction;
import org.apache.hadoop.hdfs.qjournal.server.JournalNode;
import org.apache.hadoop.hdfs.server.datanode.DataNode;
import org.apache.hadoop.hdfs.server.namenode.NameNode;
import org.apache.hadoop.io.Text;
import org.apache.hadoop.security.Credentials;
import org.apache.hadoop.security.Credentials.SerializedFormat;
import org.apache.hadoop.security.token.Token;
import org.apache.hadoop.security.token.TokenIdentifier;

/**
 * One node of Hadoop as one process, so that it can be killed and paused by itself. Its configuration is on the class
 * path. Says READY, then answers each line of its standard input with one line, and ends with it.
 *
 *     namenode: format | safemode on|off | names PATH N | bytes PATH N | own PATH USER GROUP MODE
 *               | datanodes | active | standby | keep FILE-URI WRITABLE|PROTOBUF TOKEN
 */
public final class HadoopNode {
  private static NameNode nameNode;
  private static final StateChangeRequestInfo BY_USER = new StateChangeRequestInfo(RequestSource.REQUEST_BY_USER);

  public static void main(String[] args) throws Exception {
    Configuration configuration = new HdfsConfiguration();
    switch (args[0]) {
      case "format":
        NameNode.format(configuration);
        System.exit(0);
        break;
      case "namenode":
        nameNode = NameNode.createNameNode(new String[0], configuration);
        break;
      case "datanode":
        DataNode.createDataNode(new String[0], configuration);
        break;
      case "journalnode":
        JournalNode journal = new JournalNode();
        journal.setConf(configuration);
        journal.start();
        break;
      case "httpfs":
        startHttpFs(Integer.getInteger("port"));
        break;
      default:
        throw new IllegalArgumentException(args[0]);
    }
    say("READY");
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      try {
        say("ok " + obey(line.split("\t"), configuration));
      } catch (Exception error) {
        say("failed " + error.toString().replace('\n', ' '));
      }
    }
    Runtime.getRuntime().halt(0);
  }

  /** Its main never returns. */
  private static void startHttpFs(int port) throws Exception {
    Thread server = new Thread(() -> {
      try {
        HttpFSServerWebServer.main(new String[0]);
      } catch (Exception error) {
        error.printStackTrace();
        Runtime.getRuntime().halt(1);
      }
    });
    server.setDaemon(true);
    server.start();
    while (true) {
      try (Socket socket = new Socket("127.0.0.1", port)) {
        return;
      } catch (ConnectException error) {
        Thread.sleep(20);
      }
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static String obey(String[] words, Configuration configuration) throws Exception {
    switch (words[0]) {
      case "active":
        nameNode.getRpcServer().transitionToActive(BY_USER);
        return "";
      case "standby":
        nameNode.getRpcServer().transitionToStandby(BY_USER);
        return "";
      case "safemode":
        SafeModeAction action = words[1].equals("on") ? SafeModeAction.SAFEMODE_ENTER : SafeModeAction.SAFEMODE_LEAVE;
        return String.valueOf(nameNode.getRpcServer().setSafeMode(action, false));
      case "datanodes":
        boolean waits = nameNode.isInSafeMode();
        int live = nameNode.getRpcServer().getDatanodeReport(DatanodeReportType.LIVE).length;
        return waits ? "0" : String.valueOf(live);
      case "keep":
        Token<TokenIdentifier> token = new Token<>();
        token.decodeFromUrlString(words[3]);
        Credentials credentials = new Credentials();
        credentials.addToken(token.getService(), token);
        credentials.addSecretKey(new Text("secret"), new byte[] {1, 2, 3});
        credentials.writeTokenStorageFile(new Path(words[1]), configuration, SerializedFormat.valueOf(words[2]));
        return "";
      default:
        return change(words, configuration);
    }
  }

  /** What the administrator's own client does. Quotas: -1 for none. */
  private static String change(String[] words, Configuration configuration) throws Exception {
    Path path = new Path(words[1]);
    try (DistributedFileSystem files = (DistributedFileSystem) path.getFileSystem(configuration)) {
      switch (words[0]) {
        case "names":
          files.setQuota(path, quota(words[2]), HdfsConstants.QUOTA_DONT_SET);
          return "";
        case "bytes":
          files.setQuota(path, HdfsConstants.QUOTA_DONT_SET, quota(words[2]));
          return "";
        case "own":
          files.mkdirs(path);
          files.setOwner(path, words[2], words[3]);
          files.setPermission(path, new FsPermission(words[4]));
          return "";
        default:
          throw new IllegalArgumentException(words[0]);
      }
    }
  }

  private static long quota(String text) {
    long number = Long.parseLong(text);
    return number < 0 ? HdfsConstants.QUOTA_RESET : number;
  }
}
